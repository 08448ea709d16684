// Access.

import { Page } from "../../layout/page";
import type { PageProps } from "../../router";
import { Loading } from "../../ui/state";

export default function Access(_: PageProps) {
  return (
    <Page title="Access">
      <Loading />
    </Page>
  );
}
