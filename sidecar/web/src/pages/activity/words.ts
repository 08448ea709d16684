// Operations of the API as people say them: things, as each may have been refused.

const WORDS: Record<string, string> = {
  deploy: "Deploy of an archive",
  build: "Deploy",
  rollback: "Rollback",
  restart: "Restart",
  cancel: "Cancelling a deployment",
  standby: "Changing the standby",
  stop: "Stopping the app",
  start: "Starting the app",
  migrate: "Moving the database",
  set_environment: "Setting variables",
  unset_environment: "Unsetting variables",
  reveal: "Showing variables’ values",
  environment: "Showing variables’ values",
  auto_deploy: "Switching auto-deploy",
  hook_secret: "The webhook’s secret",
  repository: "Making a repository to push to",
  rpc: "An expression in the node",
  eval: "An expression in a release",
  console: "Console on a terminal",
  open_console: "Opening a console",
  attach_console: "Attaching to a console",
  end_console: "Ending a console",
  console_ended: "A console’s end",
  reload: "Reading the configuration again",
  down: "Stopping every app",
  up: "Starting every app",
  login: "Login",
  logout: "Logout",
  confirm: "Giving the password again",
  first_login: "First login by a link",
  change_password: "Changing their password",
  end_session: "Ending a session",
  add_user: "Adding a user",
  change_user: "Changing a user",
  remove_user: "Removing a user",
  add_token: "Making an API token",
  remove_token: "Removing an API token",
  add_link: "Making a first-login link",
};

/** What it was; an operation that this page does not know has its own name. */
export function inWords(action: string): string {
  const known = WORDS[action];
  if (known !== undefined) return known;
  const words = action.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
