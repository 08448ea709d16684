// Who gets in: users, API tokens, sessions. Each is a section with a table and what changes it.

import { Page } from "../../layout/page";
import type { PageProps } from "../../router";
import { isAdmin } from "../../session";
import { Notice } from "../../ui/state";
import { Sessions } from "./sessions";
import { Tokens } from "./tokens";
import { Users } from "./users";
import "./access.css";

export default function Access(_: PageProps) {
  return (
    <Page title="Access">
      {isAdmin.value ? (
        <>
          <Users />
          <Tokens />
          <Sessions />
        </>
      ) : (
        <Notice>
          <p>
            Users, tokens and everybody’s sessions are for admins. Your own sessions and your password are on the page{" "}
            <a href="/account">Account</a>.
          </p>
        </Notice>
      )}
    </Page>
  );
}
