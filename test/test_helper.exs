for file <- ["fake_client", "samples", "place"],
    do: Code.require_file("support/#{file}.exs", __DIR__)

ExUnit.start()
