defmodule Vial.Answers do
  @moduledoc false
  # What a daemon says, as JSON.

  def daemon(version \\ "0.1.0") do
    ~s({"version":"#{version}","pid":7,"started_at":"2026-01-02T03:04:05.678901Z","apps":[],"problems":[],"new":{"in":[3]}})
  end

  def release(number) do
    ~s({"number":#{number},"name":"shop","version":"#{number}.0.0","sha256":"ab","size":1,"erts":null,) <>
      ~s("elixir":"1.14.0","migrations":[#{migration()}],"unpacked_at":"2026-01-02T03:04:05Z","commit":null})
  end

  def migration(more \\ "") do
    ~s({"version":20240301000000,"name":"drop_name","app":"shop","folder":"repo/migrations",) <>
      ~s("effect":"destructive","reversal":"reversible","does":["drops users.name"]#{more}})
  end

  def plan(database) do
    ~s({"app":"shop","from":#{release(2)},"from_deployment":2,"to":#{release(1)},"to_deployment":1,) <>
      ~s("to_last_live_at":null,"slot":"blue","hot":true,"cancels":null,) <>
      ~s("migrations":[#{migration(~s(,"brought_by":2))}],"database":#{database},"digest":"d1"})
  end

  def problem(code, more \\ "") do
    ~s({"code":"#{code}","message":"Not rolled back.","next":"`vial status`"#{more}})
  end

  def accepted, do: ~s({"deployment":3,"message":"Accepted."})

  def removed(name), do: ~s({"type":"app_removed","name":"#{name}"})
end
