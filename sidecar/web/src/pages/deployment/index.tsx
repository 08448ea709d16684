// DeploymentPage of one app.

import { AppFrame } from "../../layout/app-frame";
import { Page } from "../../layout/page";
import type { PageProps } from "../../router";
import { Loading } from "../../ui/state";

export default function DeploymentPage({ params }: PageProps) {
  const app = params["app"] ?? "";
  return (
    <AppFrame app={app}>
      {() => (
        <Page title="DeploymentPage" of={app} quiet>
          <Loading />
        </Page>
      )}
    </AppFrame>
  );
}
