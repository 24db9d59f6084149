// Starts the pages.
import { render } from "preact";
import { startLive } from "./api/live";
import { App } from "./app";
import "./lib/theme";
import "./styles/tokens.css";
import "./styles/base.css";

const root = document.getElementById("app");
if (root) render(<App />, root);
startLive();
