// Who did what: of one app here, of the whole host in `host`; both are `list`.

import { AppFrame } from "../../layout/app-frame";
import { Page } from "../../layout/page";
import type { PageProps } from "../../router";
import { ActivityList } from "./list";

export default function Activity({ params }: PageProps) {
  const app = params["app"] ?? "";
  return (
    <AppFrame app={app}>
      {() => (
        <Page title="Activity" of={app} heading="Activity">
          <ActivityList app={app} />
        </Page>
      )}
    </AppFrame>
  );
}
