defmodule Vial.Plan.Environment do
  @moduledoc """
  What a rollback's target starts with, of the variables that `vial env` keeps: names, never values.

  `version` is the version of the environment that it starts with, `today` the newest. `differs` are
  names whose values are other than today's; `renewed` are those marked secret that were changed
  since it ran: it takes today's.
  """

  @type t :: %__MODULE__{
          version: non_neg_integer,
          today: non_neg_integer,
          differs: [String.t()],
          renewed: [String.t()]
        }

  defstruct version: 0, today: 0, differs: [], renewed: []
end
