// The search language with completion of names.
import { useEffect, useRef, useState } from "preact/hooks";

export function FilterBox({ value, keys, onChange }: { value: string; keys: string[]; onChange: (value: string) => void }) {
  const [text, setText] = useState(value);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => setText(value), [value]);
  const word = /[\w.`]*$/.exec(text)?.[0] ?? "";
  const hits = word.length ? keys.filter((k) => k.toLowerCase().includes(word.toLowerCase()) && k !== word).slice(0, 30) : [];
  const shown = open && hits.length > 0;
  const take = (hit: string) => {
    setText(text.slice(0, text.length - word.length) + hit + " ");
    setAt(0);
    box.current?.focus();
  };
  return (
    <div class="filter">
      <input ref={box} class="input" type="text" aria-label="filter runs" spellcheck={false} autocomplete="off" placeholder={"metrics.auc > 0.83 AND params.max_depth = \"4\""} value={text} role="combobox" aria-expanded={shown} aria-controls="filter-hits" aria-autocomplete="list"
        onInput={(e) => {
          setText(e.currentTarget.value);
          setOpen(true);
          setAt(0);
        }}
        onBlur={() => {
          setTimeout(() => setOpen(false), 150);
          if (text !== value) onChange(text.trim());
        }}
        onKeyDown={(e) => {
          if (shown && e.key === "ArrowDown") setAt(Math.min(hits.length - 1, at + 1));
          else if (shown && e.key === "ArrowUp") setAt(Math.max(0, at - 1));
          else if (shown && e.key === "Tab" && hits[at]) take(hits[at]);
          else if (e.key === "Enter") {
            setOpen(false);
            onChange(text.trim());
          } else if (e.key === "Escape") {
            setOpen(false);
            box.current?.blur();
          } else return;
          e.preventDefault();
        }} />
      <ul id="filter-hits" role="listbox" aria-label="names" hidden={!shown}>
        {shown && hits.map((h, i) => (
          <li key={h} role="option" aria-selected={i === at} onMouseDown={(e) => {
            e.preventDefault();
            take(h);
          }}>{h}</li>
        ))}
      </ul>
    </div>
  );
}
