// Apps.

import { Page } from "../../layout/page";
import type { PageProps } from "../../router";
import { Loading } from "../../ui/state";

export default function Apps(_: PageProps) {
  return (
    <Page title="Apps">
      <Loading />
    </Page>
  );
}
