// Account.

import { Page } from "../../layout/page";
import type { PageProps } from "../../router";
import { Loading } from "../../ui/state";

export default function Account(_: PageProps) {
  return (
    <Page title="Account">
      <Loading />
    </Page>
  );
}
