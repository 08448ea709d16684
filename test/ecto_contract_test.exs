defmodule EctoDouble.ContractTest do
  use EctoContract, ground: DoubleGround
end
