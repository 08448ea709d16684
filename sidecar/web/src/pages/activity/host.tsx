// Activity of the whole host.

import { Page } from "../../layout/page";
import type { PageProps } from "../../router";
import { Loading } from "../../ui/state";

export default function HostActivity(_: PageProps) {
  return (
    <Page title="Activity">
      <Loading />
    </Page>
  );
}
