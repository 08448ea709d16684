// Who did what, on the whole host.

import { Page } from "../../layout/page";
import type { PageProps } from "../../router";
import { ActivityList } from "./list";

export default function HostActivity(_: PageProps) {
  return (
    <Page title="Activity">
      <ActivityList />
    </Page>
  );
}
