// Login.

import { Page } from "../../layout/page";
import type { PageProps } from "../../router";
import { Loading } from "../../ui/state";

export default function Login(_: PageProps) {
  return (
    <Page title="Login">
      <Loading />
    </Page>
  );
}
