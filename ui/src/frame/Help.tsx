// What the keys do.
import { useEffect, useRef } from "preact/hooks";
import { Button } from "../components/Button";
import { places } from "./places";
import "./Help.css";

const keys: [string, string][] = [
  ["/", "search"],
  ["j  k", "next and previous row"],
  ["Enter", "open the row"],
  ["x", "select the row"],
  ["c", "compare what is selected"],
  ["?", "this help"],
  ["Esc", "close, leave a field"],
  ...places.map((p): [string, string] => [`g ${p.key}`, `go to ${p.name}`]),
];

export function Help({ close }: { close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="ask help" onClose={close} aria-label="keyboard">
      <h2>Keyboard</h2>
      <dl>
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt><kbd>{key}</kbd></dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <div class="row ask-buttons"><Button onClick={close}>Close</Button></div>
    </dialog>
  );
}
