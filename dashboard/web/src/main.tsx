/** Entry of both pages: the control room, and the phone page of a team under /phone. */

import "./shell/tokens.css";
import "./controls/controls.css";

import { render } from "preact";

import { startClock } from "./clock";
import { applyPrefs } from "./prefs";

applyPrefs();
startClock();

const root = document.getElementById("app");
if (!root) throw new Error("index.html lacks the element #app");

if (location.pathname.startsWith("/phone")) {
  void import("./phone/Phone").then(({ Phone }) => render(<Phone />, root));
} else {
  void import("./shell/App").then(({ App }) => render(<App />, root));
}
