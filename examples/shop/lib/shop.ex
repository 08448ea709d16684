defmodule Shop do
  @moduledoc """
  A small web shop front that sells nothing: an HTTP/1.1 server on OTP alone, there to be
  deployed, loaded, broken and rolled back.

  A connection goes `Shop.Listener` (accepts) → `Shop.Connection` (one process each) →
  `Shop.Request` (parses) → `Shop.Router` (decides) → `Shop.Response` (writes) or
  `Shop.WebSocket`. What makes a version good or bad lives in `Shop.Fault` and nowhere else.
  """

  @doc "The version of this release, such as `1.0.0`."
  def version, do: Shop.Fault.version()

  @doc """
  The slot that this release runs in, or `nil` outside one.

  It goes into a header and into JSON as it is, so only a plain word counts.
  """
  def slot do
    slot = System.get_env("VIAL_SLOT", "")
    if slot =~ ~r/\A[A-Za-z0-9_-]+\z/, do: slot
  end
end
