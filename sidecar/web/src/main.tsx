// The dashboard. The map: `app.tsx` says which page an address is; `pages/` has a folder for each
// page; `layout/` is what is around them; `ui/` are the parts they are made of; `live/` is the one
// stream that keeps them current; `api/` asks the daemon. Imports point downward in this order.

import { render } from "preact";
import { App } from "./app";
import { startTheme } from "./layout/theme";
import { startRouter } from "./router";
import "./style/main.css";

startTheme();
startRouter();
const root = document.getElementById("app");
if (root) render(<App />, root);
