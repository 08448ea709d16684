// First.

import { Page } from "../../layout/page";
import type { PageProps } from "../../router";
import { Loading } from "../../ui/state";

export default function First(_: PageProps) {
  return (
    <Page title="First">
      <Loading />
    </Page>
  );
}
