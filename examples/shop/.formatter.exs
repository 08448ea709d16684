[
  inputs: ["{mix,.formatter}.exs", "{config,database,lib,test,migrations}/**/*.{ex,exs}"]
]
