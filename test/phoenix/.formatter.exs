[
  inputs: ["{mix,.formatter}.exs", "{support,suites}/**/*.{ex,exs}"]
]
