defmodule Shop.QueueTest do
  # Not async: the environment says where the queue writes.
  use ExUnit.Case
  alias Shop.Queue

  @moduletag :tmp_dir

  setup %{tmp_dir: tmp} do
    path = Path.join(tmp, "journal")
    System.put_env(%{"SHOP_QUEUE" => path, "SHOP_QUEUE_MS" => "100"})
    on_exit(fn -> for name <- ["SHOP_QUEUE", "SHOP_QUEUE_MS"], do: System.delete_env(name) end)
    %{path: path}
  end

  test "one job follows the other, and each is told of in the journal", %{path: path} do
    start_supervised!(Queue)
    assert ["begin 1", "commit 1", "begin 2" | _] = await(path, 3)
    [line | _] = lines(path)
    assert [time, "-", pid, "begin", "1"] = String.split(line, " ")
    assert abs(String.to_integer(time) - System.os_time(:microsecond)) < 60_000_000
    assert pid == System.pid()
  end

  test "a pause returns when the job in hand has ended, and none is taken until it goes on", %{
    path: path
  } do
    start_supervised!(Queue)
    await(path, 1)
    assert Queue.standby() == :ok
    assert List.last(events(path)) =~ "commit"
    before = length(lines(path))
    Process.sleep(150)
    assert length(lines(path)) == before
    assert Queue.standby() == :ok
    assert Queue.active() == :ok
    await(path, before + 2)
  end

  test "a job in hand when the node ends is told of", %{path: path} do
    start_supervised!(Queue)
    await(path, 1)
    stop_supervised!(Queue)
    assert [[_, event, number], [_, "abort", number]] = Enum.take(split(path), -2)
    assert event == "begin"
  end

  test "without a file there is no queue" do
    System.put_env("SHOP_QUEUE", "")
    assert Queue.children() == []
    assert Queue.register() == :ok
  end

  defp await(path, count, left \\ 1_000) do
    cond do
      length(lines(path)) >= count -> events(path)
      left == 0 -> flunk("the journal has #{inspect(lines(path))}")
      true -> Process.sleep(10) && await(path, count, left - 1)
    end
  end

  defp lines(path) do
    case File.read(path) do
      {:ok, text} -> String.split(text, "\n", trim: true)
      {:error, :enoent} -> []
    end
  end

  defp events(path), do: for([_, event, number] <- split(path), do: "#{event} #{number}")

  defp split(path) do
    for line <- lines(path) do
      [_time, slot, _pid, event, number] = String.split(line, " ")
      [slot, event, number]
    end
  end
end
