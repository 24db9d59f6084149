// One box for everything with a name or an id: runs, versions, hashes, prediction ids.
import { useEffect, useRef, useState } from "preact/hooks";
import { api, useApi } from "../api/client";
import type { SearchHit } from "../api/types";
import { Icon } from "../components/Icon";
import { kindName, hrefOf, labelOf } from "../lib/refs";
import { navigate } from "../lib/router";
import "./Search.css";

export function Search() {
  const [text, setText] = useState("");
  const [asked, setAsked] = useState("");
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text.trim()), 120);
    return () => clearTimeout(timer);
  }, [text]);
  const { data, error } = useApi<SearchHit[]>(open && asked.length > 1 ? api("/search", { q: asked }) : null);
  const hits = data ?? [];
  const go = (hit: SearchHit | undefined) => {
    if (!hit) return;
    setOpen(false);
    setText("");
    box.current?.blur();
    navigate(hrefOf(hit.ref));
  };
  const key = (e: KeyboardEvent) => {
    if (e.key === "ArrowDown") setAt((a) => Math.min(hits.length - 1, a + 1));
    else if (e.key === "ArrowUp") setAt((a) => Math.max(0, a - 1));
    else if (e.key === "Enter") go(hits[at]);
    else if (e.key === "Escape") {
      setOpen(false);
      box.current?.blur();
    } else return;
    e.preventDefault();
    e.stopPropagation();
  };
  const showing = open && asked.length > 1 && (data !== undefined || error !== undefined);
  return (
    <div class="search" role="search">
      <Icon name="search" size={14} />
      <input id="search" ref={box} class="search-box" type="search" placeholder="Search runs, versions, hashes, prediction ids" autocomplete="off" spellcheck={false} value={text} role="combobox" aria-label="search" aria-expanded={showing} aria-controls="search-hits" aria-autocomplete="list" {...(showing && hits[at] ? { "aria-activedescendant": `hit-${at}` } : {})}
        onInput={(e) => {
          setText(e.currentTarget.value);
          setAt(0);
          setOpen(true);
        }}
        onFocus={() => setOpen(true)} onBlur={() => setTimeout(() => setOpen(false), 150)} onKeyDown={key} />
      <kbd aria-hidden="true">/</kbd>
      <div id="search-hits" class="search-hits" hidden={!showing}>
        {hits.length > 0 ? (
          <ul role="listbox" aria-label="found">
            {hits.map((h, i) => (
              <li key={`${h.ref.kind} ${h.ref.id}`} id={`hit-${i}`} role="option" aria-selected={i === at} onMouseDown={() => go(h)} onMouseEnter={() => setAt(i)}>
                <span class="search-kind">{kindName[h.ref.kind]}</span>
                <span class="mono clip">{labelOf(h.ref)}</span>
                <span class="dim clip">{h.text}</span>
              </li>
            ))}
          </ul>
        ) : (
          <p class="dim">{error ? error.message : `Nothing is called “${asked}”.`}</p>
        )}
      </div>
    </div>
  );
}
