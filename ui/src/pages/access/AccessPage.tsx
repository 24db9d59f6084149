// Who may do what: one's own tokens; users, groups and grants for those who administer or manage.
import { useState } from "preact/hooks";
import { api, post, refresh, seg, send, useApi } from "../../api/client";
import type { ApiError, Verdict } from "../../api/types";
import { AskButton, Button } from "../../components/Button";
import { Page, Section } from "../../components/Page";
import { Table } from "../../components/Table";
import { Time } from "../../components/Time";
import { plural } from "../../lib/format";
import { leave, session } from "./session";
import "./Access.css";

interface User { id: number; name: string; kind: string; role: string; disabled: boolean; has_password: boolean; created: number; last_login?: number; groups: string[] }
interface Token { id: string; user: string; name: string; created: number; expires?: number; last_used?: number; created_by: string }
interface Grant { subject_kind: string; subject: string; resource_kind: string; resource: string; role: string; time: number; actor: string; label: string }
interface Group { name: string; members: string[] }

const roles = ["viewer", "editor", "manager", "admin"];
const kinds = ["server", "folder", "experiment", "model", "endpoint"];

export function AccessPage() {
  const me = session.value;
  const admin = me?.role === "admin";
  const users = useApi<User[]>(admin ? api("/users") : null).data ?? [];
  const groups = useApi<Group[]>(admin ? api("/groups") : null).data ?? [];
  const tokens = useApi<Token[]>(me?.known ? api("/tokens") : null).data ?? [];
  const grants = useApi<Grant[]>(me?.known ? api("/grants") : null).data ?? [];
  const [error, setError] = useState<ApiError>();
  const act = async (method: string, url: string, body: unknown = {}) => {
    const answer = await send(method, url, body);
    setError(answer.error);
    refresh();
    return !answer.error;
  };
  const verdict: Verdict = me === undefined
    ? { state: "idle", text: "Access" }
    : !me.login
      ? { state: "ok", text: "Nobody is asked who he is: only this machine reaches the server" }
      : admin && !users.some((u) => u.role === "admin" && !u.disabled)
        ? { state: "warn", text: "There is no administrator yet" }
        : { state: "ok", text: `You are ${me.name ?? "unknown"}${me.role && me.role !== "none" ? `, ${me.role} of the server` : ""}` };
  return (
    <Page title="Access" verdict={verdict} {...(me?.login ? { action: <Button onClick={() => void leave()}>Log out</Button> } : {})}>
      {error && <p class="bad" role="alert">{error.message} {error.hint}</p>}
      <Tokens tokens={tokens} admin={admin} own={me?.account ? me.name ?? "" : ""} act={act} />
      {admin && <Users users={users} act={act} />}
      {admin && <Groups groups={groups} act={act} />}
      <Grants grants={grants} act={act} />
      <p class="access-links"><a href="/trash">Deleted experiments and runs</a> <a href="/govern">Audit log</a></p>
    </Page>
  );
}

type Act = (method: string, url: string, body?: unknown) => Promise<boolean>;

function Tokens({ tokens, admin, own, act }: { tokens: Token[]; admin: boolean; own: string; act: Act }) {
  const [name, setName] = useState("");
  const [user, setUser] = useState("");
  const [days, setDays] = useState("90");
  const [made, setMade] = useState<{ secret: string }>();
  const [wrong, setWrong] = useState<ApiError>();
  const create = async (event: Event) => {
    event.preventDefault();
    const answer = await post<{ secret: string }>(api("/tokens"), { name, ...(user ? { user } : {}), ...(days ? { days: Number(days) } : {}) });
    setWrong(answer.error);
    setMade(answer.data);
    if (answer.data) setName("");
  };
  return (
    <Section title="API tokens" note={plural(tokens.length, "token")}>
      {(own || admin) && (
        <form class="access-form" onSubmit={(e) => void create(e)} aria-label="new token">
          <label class="stack"><span class="small dim">What it is for</span><input class="input" value={name} required maxLength={100} onInput={(e) => setName(e.currentTarget.value)} /></label>
          {admin && <label class="stack"><span class="small dim">User{own ? " (you)" : ""}</span><input class="input" value={user} required={!own} onInput={(e) => setUser(e.currentTarget.value)} /></label>}
          <label class="stack"><span class="small dim">Days (empty: for ever)</span><input class="input" type="number" min={1} max={3660} value={days} onInput={(e) => setDays(e.currentTarget.value)} /></label>
          <Button kind="main" submit>New token</Button>
        </form>
      )}
      {wrong && <p class="bad" role="alert">{wrong.message} {wrong.hint}</p>}
      {made && <div role="status"><p>Copy it now, it is not shown again. Use it as <code>MLFLOW_TRACKING_TOKEN</code> or <code>Authorization: Bearer</code>.</p><code class="access-secret">{made.secret}</code></div>}
      <Table label="tokens" rows={tokens} id={(t) => t.id} columns={[
        { key: "name", title: "for", grow: true, cell: (t) => t.name },
        { key: "user", title: "user", cell: (t) => t.user },
        { key: "id", title: "id", cell: (t) => <code>{t.id}</code> },
        { key: "used", title: "last used", cell: (t) => t.last_used ? <Time at={t.last_used} /> : <span class="faint">never</span> },
        { key: "expires", title: "expires", cell: (t) => t.expires ? <Time at={t.expires} /> : <span class="faint">never</span> },
        { key: "act", title: "actions", cell: (t) => <Button kind="danger" onClick={() => void act("DELETE", api(`/tokens/${seg(t.id)}`))} title={`revoke ${t.name}`}>Revoke</Button> },
      ]} />
    </Section>
  );
}

function Users({ users, act }: { users: User[]; act: Act }) {
  const [name, setName] = useState("");
  const [kind, setKind] = useState("person");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState("viewer");
  const create = async (event: Event) => {
    event.preventDefault();
    if (await act("POST", api("/users"), { name, kind, role, ...(kind === "person" && password ? { password } : {}) })) {
      setName("");
      setPassword("");
    }
  };
  return (
    <Section title="Users" note={plural(users.length, "account")}>
      <form class="access-form" onSubmit={(e) => void create(e)} aria-label="new user">
        <label class="stack"><span class="small dim">Name</span><input class="input" value={name} required maxLength={100} autocomplete="off" onInput={(e) => setName(e.currentTarget.value)} /></label>
        <label class="stack"><span class="small dim">Kind</span><select class="input" value={kind} onChange={(e) => setKind(e.currentTarget.value)}><option value="person">person</option><option value="service">service account</option></select></label>
        {kind === "person" && <label class="stack"><span class="small dim">Password</span><input class="input" type="password" autocomplete="new-password" value={password} onInput={(e) => setPassword(e.currentTarget.value)} /></label>}
        <label class="stack"><span class="small dim">Role on the server</span><select class="input" value={role} onChange={(e) => setRole(e.currentTarget.value)}>{["none", ...roles].map((r) => <option key={r} value={r}>{r}</option>)}</select></label>
        <Button kind="main" submit>Add</Button>
      </form>
      <Table label="users" rows={users} id={(u) => u.name} columns={[
        { key: "name", title: "name", grow: true, cell: (u) => <>{u.name}{u.disabled && <span class="warn"> locked out</span>}</> },
        { key: "kind", title: "kind", cell: (u) => u.kind },
        { key: "role", title: "role", cell: (u) => u.role },
        { key: "groups", title: "groups", cell: (u) => u.groups.join(", ") },
        { key: "login", title: "last login", cell: (u) => u.last_login ? <Time at={u.last_login} /> : <span class="faint">never</span> },
        { key: "act", title: "actions", cell: (u) => <><Button onClick={() => void act("POST", api(`/users/${seg(u.name)}/disabled`), { disabled: !u.disabled })} title={`${u.disabled ? "let in" : "lock out"} ${u.name}`}>{u.disabled ? "Let in" : "Lock out"}</Button> <AskButton label="Delete" kind="danger" what={`${u.name} is deleted, with all tokens, sessions and grants.`} act={() => send("DELETE", api(`/users/${seg(u.name)}`), {}).then((answer) => { refresh(); return answer; })} /></> },
      ]} />
    </Section>
  );
}

function Groups({ groups, act }: { groups: Group[]; act: Act }) {
  const [group, setGroup] = useState("");
  const [member, setMember] = useState("");
  const add = async (event: Event) => {
    event.preventDefault();
    const made = groups.some((g) => g.name === group) || (await act("POST", api("/groups"), { name: group }));
    if (made && member && (await act("PUT", api(`/groups/${seg(group)}/members/${seg(member)}`)))) setMember("");
  };
  return (
    <Section title="Groups">
      <form class="access-form" onSubmit={(e) => void add(e)} aria-label="group">
        <label class="stack"><span class="small dim">Group</span><input class="input" value={group} required maxLength={100} onInput={(e) => setGroup(e.currentTarget.value)} /></label>
        <label class="stack"><span class="small dim">Member to add</span><input class="input" value={member} onInput={(e) => setMember(e.currentTarget.value)} /></label>
        <Button submit>Save</Button>
      </form>
      <Table label="groups" rows={groups} id={(g) => g.name} columns={[
        { key: "name", title: "group", cell: (g) => g.name },
        { key: "members", title: "members", grow: true, cell: (g) => g.name === "everyone" ? <span class="dim">everybody who can log in</span> : g.members.join(", ") },
        { key: "act", title: "actions", cell: (g) => g.name === "everyone" ? null : <Button kind="danger" onClick={() => void act("DELETE", api(`/groups/${seg(g.name)}`))} title={`delete ${g.name}`}>Delete</Button> },
      ]} />
    </Section>
  );
}

function Grants({ grants, act }: { grants: Grant[]; act: Act }) {
  const [who, setWho] = useState("");
  const [isGroup, setIsGroup] = useState("user");
  const [kind, setKind] = useState("folder");
  const [thing, setThing] = useState("");
  const [role, setRole] = useState("viewer");
  const give = async (event: Event) => {
    event.preventDefault();
    if (await act("POST", api("/grants"), { subject_kind: isGroup, subject: who, resource_kind: kind, resource: kind === "server" ? "" : thing, role })) setWho("");
  };
  return (
    <Section title="Grants" note="a role holds for everything below: the server, a folder with its experiments, one model">
      <form class="access-form" onSubmit={(e) => void give(e)} aria-label="new grant">
        <label class="stack"><span class="small dim">To</span><select class="input" value={isGroup} onChange={(e) => setIsGroup(e.currentTarget.value)}><option value="user">user</option><option value="group">group</option></select></label>
        <label class="stack"><span class="small dim">Name</span><input class="input" value={who} required onInput={(e) => setWho(e.currentTarget.value)} /></label>
        <label class="stack"><span class="small dim">Role</span><select class="input" value={role} onChange={(e) => setRole(e.currentTarget.value)}>{roles.map((r) => <option key={r} value={r}>{r}</option>)}</select></label>
        <label class="stack"><span class="small dim">On</span><select class="input" value={kind} onChange={(e) => setKind(e.currentTarget.value)}>{kinds.map((k) => <option key={k} value={k}>{k}</option>)}</select></label>
        {kind !== "server" && <label class="stack"><span class="small dim">{kind === "experiment" ? "Its id" : kind === "folder" ? "Path" : "Name, or beginning*"}</span><input class="input" value={thing} required onInput={(e) => setThing(e.currentTarget.value)} /></label>}
        <Button submit>Grant</Button>
      </form>
      <Table label="grants" rows={grants} id={(g) => `${g.subject_kind} ${g.subject} ${g.resource_kind} ${g.resource}`} columns={[
        { key: "who", title: "who", cell: (g) => <>{g.subject}{g.subject_kind === "group" && <span class="dim"> (group)</span>}</> },
        { key: "role", title: "role", cell: (g) => g.role },
        { key: "on", title: "on", grow: true, cell: (g) => g.resource_kind === "server" ? "the server" : <><span class="dim">{g.resource_kind}</span> {g.label || g.resource}</> },
        { key: "since", title: "since", cell: (g) => <Time at={g.time} /> },
        { key: "by", title: "by", cell: (g) => g.actor },
        { key: "act", title: "actions", cell: (g) => <Button kind="danger" onClick={() => void act("POST", api("/grants"), { subject_kind: g.subject_kind, subject: g.subject, resource_kind: g.resource_kind, resource: g.resource, role: "none" })} title={`take ${g.role} from ${g.subject}`}>Take away</Button> },
      ]} />
    </Section>
  );
}
