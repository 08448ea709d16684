defmodule Vial.View.Standby do
  @moduledoc false
  # What an idle slot is kept as, in words.

  alias Vial.Look

  @doc "How it is, since when and until when: \"frozen since 14:02, until 14:17\"."
  @spec line(Vial.Standby.t() | nil, Look.t()) :: String.t() | nil
  def line(nil, _look), do: nil

  def line(standby, look) do
    until = if at = standby.until, do: ", until #{Look.short_clock(look, at)}"
    "#{since(standby, look)}#{until}"
  end

  @doc "How it is and since when: \"frozen since 14:02\"; while it is not yet, what it does."
  @spec since(Vial.Standby.t(), Look.t()) :: String.t()
  def since(%{ready: true} = standby, look), do: "#{word(standby.mode)}#{from(standby, look)}"
  def since(%{mode: :frozen} = standby, look), do: "comes to rest#{from(standby, look)}"

  def since(standby, look),
    do: "is started to be kept #{word(standby.mode)}#{from(standby, look)}"

  @doc "What is left to do until its release serves: \"ready in about 30 ms: frozen since 14:02\"."
  @spec ready(Vial.Standby.t(), Look.t()) :: String.t()
  def ready(%{ready: true} = standby, look) do
    case standby.expected_ms do
      nil -> "ready: #{since(standby, look)}"
      millis -> "ready in about #{Look.about(millis)}: #{since(standby, look)}"
    end
  end

  def ready(standby, look), do: "it #{since(standby, look)}"

  defp word(nil), do: "cold"
  defp word(mode), do: Atom.to_string(mode)

  defp from(%{since: nil}, _look), do: ""
  defp from(%{since: at}, look), do: " since #{Look.short_clock(look, at)}"
end
