// Console of one app.

import { AppFrame } from "../../layout/app-frame";
import { Page } from "../../layout/page";
import type { PageProps } from "../../router";
import { Loading } from "../../ui/state";

export default function Console({ params }: PageProps) {
  const app = params["app"] ?? "";
  return (
    <AppFrame app={app}>
      {() => (
        <Page title="Console" of={app} quiet>
          <Loading />
        </Page>
      )}
    </AppFrame>
  );
}
