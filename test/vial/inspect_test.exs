defmodule Vial.InspectTest do
  use ExUnit.Case, async: true

  import Vial.Samples

  # The clock of a console is its own: what depends on it is matched, not compared.

  test "a status is a sentence that fits the console" do
    shown = inspect(status(), pretty: true, width: 80)
    one = shown |> String.split("\n") |> Enum.map_join(" ", &String.trim/1)

    assert one =~
             ~r/\A#Vial.Status<shop: v2.0.0 serves from green since .+ \(.+\), healthy; idle blue stopped \(v1.0.0\)>\z/

    for line <- String.split(shown, "\n"), do: assert(String.length(line) <= 80)
  end

  test "a history and a plan start on a line of their own" do
    history = %Vial.History{app: "shop", deployments: [deployment(2), deployment(1)]}

    assert "{:ok,\n #  Kind    Release" <> _rest =
             inspect({:ok, history}, pretty: true, width: 80)

    assert inspect(history, pretty: true, width: 80) =~ ~r/^2  deploy  v2.0.0/m
    assert inspect({:ok, plan()}, pretty: true) =~ ~r/\A\{:ok,\n Roll back shop: v2.0.0/
  end

  test "the others are short" do
    for {value, shown} <- [
          {release(2), "#Vial.Release<v2.0.0 (#2)>"},
          {slot(:green, restarts: 1, last_exit: "exited with status 1"),
           "#Vial.Slot<green: running (v2.0.0) on 4001; exited with status 1; started again once>"},
          {step(:starting, 861, outcome: "well"), "#Vial.Step<starting 861 ms: well>"},
          {deployment(2, reason: "x"),
           "#Vial.Deployment<#2 deploy of v2.0.0 by anna, Succeeded (2.0 s): x>"},
          {migration(20), "#Vial.Migration<20 drop_name (#2), destructive: drops users.name>"},
          {error(:not_found, "No.", "look"), "#Vial.Error<:not_found No. Next: look>"},
          {%Vial.Standby{mode: :frozen, ready: true}, "#Vial.Standby<frozen>"},
          {%Vial.Accepted{message: "Done."}, "#Vial.Accepted<Done.>"},
          {%Vial.Migrations.Moved{repo: "Shop.Repo", version: 20},
           "#Vial.Migrations.Moved<Shop.Repo 20>"},
          {%Vial.Commit{sha: "3f2a9c1d0e4b", reference: "main", subject: "Sell tea\e[2J"},
           "#Vial.Commit<3f2a9c1d0e of main: Sell tea>"},
          {%Vial.Build{reference: "main", of: 2}, "#Vial.Build<main as #2, by_hand>"},
          {%Vial.AutoDeploy{on: true, branch: "main", note: "3f2a was\e[2J rolled back"},
           "#Vial.AutoDeploy<on, from main; 3f2a was rolled back>"},
          {%Vial.AutoDeploy{branch: "main"}, "#Vial.AutoDeploy<off>"},
          {%Vial.Log{slot: :blue, cursor: 0}, "#Vial.Log<blue: nothing>"}
        ] do
      assert inspect(value, width: :infinity) == shown
    end
  end

  test "what others wrote cannot command the terminal" do
    evil = "1\e[2J\e]0;t\a\u{202e}"

    for value <- [
          release(2, version: evil),
          deployment(2, actor: evil, reason: evil),
          status(name: evil, serving: release(2, version: evil)),
          plan(app: evil, warnings: [evil]),
          error(:internal, evil, evil),
          %Vial.History{app: evil, deployments: [deployment(2, reason: evil)]},
          %Vial.Log{slot: :blue, cursor: 1, lines: [%Vial.Log.Line{at: 0, text: evil}]}
        ] do
      refute inspect(value, pretty: true) =~ ~r/[\e\a\x{202e}]/u
    end
  end

  test "a struct that nothing was put into can be shown" do
    for module <- [
          Vial.Standby,
          Vial.Status,
          Vial.Daemon,
          Vial.History,
          Vial.Log,
          Vial.Accepted,
          Vial.Error
        ] do
      assert is_binary(inspect(struct(module)))
      refute inspect(struct(module)) =~ "Inspect.Error"
    end
  end
end
