// Operations of the API as people say them.

const WORDS: Record<string, string> = {
  deploy: "deployed an archive",
  build: "asked for a deploy",
  rollback: "rolled back",
  restart: "restarted",
  cancel: "cancelled the deployment",
  stop: "stopped the app",
  start: "started the app",
  migrate: "moved the database",
  set_environment: "set variables",
  unset_environment: "unset variables",
  reveal: "looked at variables’ values",
  environment: "looked at variables’ values",
  auto_deploy: "switched auto-deploy",
  hook_secret: "looked at or renewed the webhook’s secret",
  repository: "made a repository to push to",
  rpc: "ran an expression in the node",
  eval: "ran an expression in a release",
  console: "opened a console on a terminal",
  console_closed: "closed a console on a terminal",
  open_console: "opened a console",
  attach_console: "attached to a console",
  end_console: "ended a console",
  console_ended: "console ended",
  reload: "read the configuration again",
  down: "stopped every app",
  up: "started every app",
  login: "logged in",
  logout: "logged out",
  confirm: "gave the password again",
  first_login: "used a first-login link",
  change_password: "changed their password",
  end_session: "ended a session",
  add_user: "added a user",
  change_user: "changed a user",
  remove_user: "removed a user",
  add_token: "made an API token",
  remove_token: "removed an API token",
  add_link: "made a first-login link",
};

/** What somebody did; an operation that this page does not know by its own name. */
export function inWords(action: string): string {
  return WORDS[action] ?? action.replaceAll("_", " ");
}
