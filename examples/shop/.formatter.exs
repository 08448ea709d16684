[
  inputs: ["{mix,.formatter}.exs", "{config,lib,test,migrations}/**/*.{ex,exs}"]
]
