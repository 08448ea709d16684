defmodule Vial.History do
  @moduledoc """
  An application's deployments, newest first. IEx shows them as a table.

  It is enumerable:

      iex> history = %Vial.History{app: "shop", deployments: [%Vial.Deployment{number: 1}]}
      iex> Enum.map(history, & &1.number)
      [1]

  """

  @type t :: %__MODULE__{app: String.t(), deployments: [Vial.Deployment.t()]}

  defstruct [:app, deployments: []]

  defimpl Enumerable do
    def count(history), do: {:ok, length(history.deployments)}
    def member?(history, deployment), do: {:ok, deployment in history.deployments}
    def slice(_history), do: {:error, __MODULE__}

    def reduce(history, acc, fun), do: Enumerable.List.reduce(history.deployments, acc, fun)
  end

  defimpl Inspect do
    def inspect(history, opts) do
      look = Vial.Look.inspect(opts)
      Vial.Shown.lines(Vial.View.Deployment.table(history.app, history.deployments, look))
    end
  end
end
