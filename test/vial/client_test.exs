defmodule Vial.ClientTest do
  use ExUnit.Case, async: true

  import Bitwise
  import Vial.FakeDaemon
  alias Vial.{Answers, Client, FakeDaemon}

  defp get(socket, opts \\ []),
    do: Client.call(:get, "/v1/status", :daemon, [socket: socket] ++ opts)

  defp post(socket, opts \\ []) do
    Client.call(:post, "/v1/apps/shop/rollback", :accepted, [socket: socket] ++ opts)
  end

  defp answered(path, expect, json) do
    Client.call(:get, path, expect, socket: FakeDaemon.start(answering(json)))
  end

  defp reason({:error, %Vial.Error{} = error}) do
    assert is_binary(error.message) and error.message =~ "."
    error.reason
  end

  describe "an answer" do
    test "is the library's struct, with times, and without what this version does not know" do
      assert answered("/v1/status", :daemon, Answers.daemon()) ==
               {:ok,
                struct!(Vial.Daemon,
                  version: "0.1.0",
                  pid: 7,
                  started_at: ~U[2026-01-02 03:04:05.678901Z],
                  apps: [],
                  problems: []
                )}
    end

    test "has the fields of its struct, no more and no less" do
      check = fn %module{} = struct -> assert Map.keys(struct) == Map.keys(struct(module)) end

      {:ok, plan} = answered("/plan", :plan, Answers.plan(~s({"action":"keep"})))
      Enum.each([plan, plan.from, hd(plan.migrations), hd(plan.from.migrations)], check)
      {:error, error} = post(FakeDaemon.start(answering(409, Answers.problem("in_progress"))))
      check.(error)

      {:ok, log} =
        answered("/l", :log, ~s({"slot":"blue","lines":[{"at":3,"text":"é"}],"cursor":9}))

      Enum.each([log, hd(log.lines)], check)
      assert {log.slot, hd(log.lines).text} == {:blue, "é"}
      {:ok, accepted} = answered("/a", :accepted, Answers.accepted())
      check.(accepted)
      {:ok, output} = answered("/e", :evaluated, ~s({"output":"2","status":-1,"truncated":false}))
      check.(output)
      assert output.status == -1
      moved = ~s({"repo":"Shop.Repo","version":20240301000000})

      {:ok, migrated} =
        answered("/m", :migrated, ~s({"release":2,"moved":[#{moved}],"message":"m"}))

      Enum.each([migrated, hd(migrated.moved)], check)

      state =
        ~s({"repo":"Shop.Repo","version":1,"name":null,"applied":"up","migration":#{Answers.migration()}})

      {:ok, report} =
        answered("/m", :migrations, ~s({"release":2,"label":"v2","migrations":[#{state}]}))

      Enum.each([report, hd(report.migrations), hd(report.migrations).migration], check)
      assert hd(report.migrations).applied == :up
    end

    test "tells what a plan does to the database" do
      for {json, term} <- [
            {~s({"action":"unchanged"}), :unchanged},
            {~s({"action":"keep"}), :keep},
            {~s({"action":"revert","versions":[3,2]}), {:revert, [3, 2]}},
            {~s({"action":"choose","choices":["keep","revert"]}), {:choose, [:keep, :revert]}}
          ] do
        assert {:ok, %{database: ^term}} = answered("/plan", :plan, Answers.plan(json))
      end
    end

    test "tells a migration that stands in the way from one of a release" do
      {:ok, plan} = answered("/plan", :plan, Answers.plan(~s({"action":"keep"})))
      assert [%{brought_by: 2, effect: :destructive, loses: []}] = plan.migrations
      assert [%{brought_by: nil, does: ["drops users.name"]}] = plan.from.migrations
    end

    test "may be a list" do
      assert answered("/v1/apps/shop/deployments", :deployments, "[]") == {:ok, []}
    end

    test "that comes in single bytes is an answer" do
      socket =
        FakeDaemon.start(fn socket ->
          {:ok, _} = request(socket)
          body = Answers.daemon()
          head = "HTTP/1.1 200 OK\r\ncontent-length: #{byte_size(body)}\r\n\r\n"
          for <<byte <- head <> body>>, do: :ok = :gen_tcp.send(socket, <<byte>>)
          await_close(socket)
        end)

      assert {:ok, %{pid: 7}} = get(socket)
    end

    test "of 20 MiB is an answer" do
      output = String.duplicate("x", 20 <<< 20)
      json = ~s({"output":"#{output}","status":0,"truncated":false})
      assert {:ok, %{output: ^output}} = answered("/eval", :evaluated, json)
    end
  end

  describe "a question" do
    defp asked(method, path, opts) do
      test = self()

      socket =
        FakeDaemon.start(
          &answer_all(&1, fn request ->
            send(test, {:asked, request})
            {200, Answers.accepted()}
          end)
        )

      assert {:ok, _} = Client.call(method, path, :accepted, [socket: socket] ++ opts)
      assert_receive {:asked, request}
      request
    end

    test "has its path and query encoded, and no empty parameter" do
      query = [to: 3, reason: "a&b=c #1 é", cancel: nil]
      request = asked(:get, ["v1", "apps", "../my shop", "rollback"], query: query)

      assert request.line ==
               "GET /v1/apps/..%2Fmy%20shop/rollback?to=3&reason=a%26b%3Dc%20%231%20%C3%A9 HTTP/1.1"

      assert asked(:get, "/v1/a b/c%2F", []).line == "GET /v1/a%20b/c%2F HTTP/1.1"
    end

    test "carries its key and its origin" do
      %{headers: headers} = asked(:post, "/x", key: "k1", origin: :"shop_blue@127.0.0.1")
      assert %{"idempotency-key" => "k1", "vial-origin" => "shop_blue@127.0.0.1"} = headers
    end

    test "carries a map as JSON" do
      body = %{
        "to" => 7,
        "reason" => ~s(say "hi" é),
        "none" => nil,
        "list" => [true, -1, :revert, 1.5]
      }

      request = asked(:post, "/x", body: body)
      assert request.headers["content-type"] == "application/json"
      # In the order of Erlang's small maps, by key.
      assert request.body ==
               ~s({"list":[true,-1,"revert",1.5],"none":null,"reason":"say \\"hi\\" é","to":7})

      assert asked(:post, "/x", body: %{}).body == "{}"
    end

    test "whose body is no JSON is not sent" do
      nested = Enum.reduce(1..100, 1, fn _, inner -> [inner] end)

      for body <- [%{a: {1}}, %{a: <<255>>}, %{a: nested}, %{a: 1 <<< 70}, %{a: [1 | 2]}] do
        assert reason(post("/nowhere", body: body)) == :bad_request
      end
    end

    test "with an option that does not exist, or a key that is none, raises" do
      assert_raise ArgumentError, ~r/:tiemout/, fn -> get("/nowhere", tiemout: 1) end
      assert_raise ArgumentError, ~r/key/, fn -> post("/nowhere", key: "é") end
    end
  end

  describe "a file" do
    @describetag :tmp_dir

    test "is sent whole", %{tmp_dir: folder} do
      path = Path.join(folder, "é.tar")
      content = :crypto.strong_rand_bytes(3_000_001)
      File.write!(path, content)
      request = asked(:post, "/v1/apps/shop/deployments", body: {:file, path}, timeout: :infinity)
      assert request.body == content
    end

    test "that is refused before its end gets the daemon's own words", %{tmp_dir: folder} do
      path = Path.join(folder, "big")
      File.write!(path, :binary.copy("x", 30_000_000))

      socket =
        FakeDaemon.start(fn socket ->
          {:ok, _} = :gen_tcp.recv(socket, 0)
          answer(socket, 409, Answers.problem("in_progress"))
          :gen_tcp.close(socket)
        end)

      assert reason(post(socket, body: {:file, path})) == :in_progress
    end

    test "that cannot be read is told before anything is sent", %{tmp_dir: folder} do
      for path <- [Path.join(folder, "none"), folder] do
        assert reason(post("/nowhere", body: {:file, path})) == :bad_release
      end
    end
  end

  describe "a daemon that says no" do
    test "is an error with its words" do
      socket =
        FakeDaemon.start(
          answering(409, Answers.problem("nothing_to_roll_back_to", ~s(,"log":["a"])))
        )

      assert {:error, error} = post(socket)
      assert error.reason == :nothing_to_roll_back_to

      assert {error.message, error.next, error.log, error.plan} ==
               {"Not rolled back.", "`vial status`", ["a"], nil}
    end

    test "because the plan is stale shows the plan as it is now" do
      plan = Answers.plan(~s({"action":"unchanged"}))

      socket =
        FakeDaemon.start(answering(409, Answers.problem("stale_plan", ~s(,"plan":#{plan}))))

      assert {:error, %{reason: :stale_plan, plan: %Vial.Plan{digest: "d1"}}} = post(socket)
    end

    test "for a reason that is new keeps its words, and makes no atom" do
      word = "quota_of_#{System.unique_integer([:positive])}"
      socket = FakeDaemon.start(answering(409, Answers.problem(word)))
      assert {:error, %{reason: :bad_answer, message: message}} = post(socket)
      assert message =~ word and message =~ "Not rolled back."
      assert_raise ArgumentError, fn -> String.to_existing_atom(word) end
    end
  end
end
