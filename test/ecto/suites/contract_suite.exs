defmodule VialEcto.ContractSuite do
  use EctoContract, ground: VialEcto.Ground
end
