// Code to copy, in one or several languages.
import { useState } from "preact/hooks";
import { copyText } from "../lib/copy";
import { Icon } from "./Icon";
import "./Snippet.css";

export function Snippet({ code, label = "code" }: { code: string; label?: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <div class="snippet">
      <pre tabIndex={0} aria-label={label} role="region"><code>{code}</code></pre>
      <button type="button" class="snippet-copy" aria-label={copied ? "copied" : `copy ${label}`} onClick={() => void copyText(code).then((done) => {
        setCopied(done);
        setTimeout(() => setCopied(false), 1500);
      })}>
        <Icon name={copied ? "check" : "copy"} size={14} />
      </button>
    </div>
  );
}

export function Snippets({ items }: { items: [string, string][] }) {
  const [at, setAt] = useState(0);
  const item = items[Math.min(at, items.length - 1)];
  if (!item) return null;
  return (
    <div>
      <div class="snippet-tabs" role="group" aria-label="language">
        {items.map(([name], i) => (
          <button key={name} type="button" aria-pressed={i === at} onClick={() => setAt(i)}>{name}</button>
        ))}
      </div>
      <Snippet code={item[1]} label={item[0]} />
    </div>
  );
}

/** A page with nothing on it teaches how to fill it. */
export function Empty({ text, code, more }: { text: string; code: string; more?: string }) {
  return (
    <div class="empty">
      <p>{text}</p>
      <Snippet code={code} label="the command" />
      {more && <p class="small dim">{more}</p>}
    </div>
  );
}
