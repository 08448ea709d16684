for file <- ["fake_client", "fake_ssh", "samples", "place"],
    do: Code.require_file("support/#{file}.exs", __DIR__)

ExUnit.start()
