// The types that the pages use (types.ts: narrower, with comments) against those made from the server's OpenAPI: a field that one side lacks, or of
// another type, doesn't compile. Nothing of this file is in the build.
import type * as made from "./generated";
import type * as ours from "./types";

/** `true` when every field of both is on the other side and each of ours fits the server's. */
type Fits<Ours, Made> = [keyof Ours, keyof Made] extends [keyof Made, keyof Ours] ? (Ours extends Made ? true : ["has another type", { [K in keyof Ours & keyof Made]: Ours[K] extends Made[K] ? never : K }[keyof Ours & keyof Made]]) : ["field of one side only", Exclude<keyof Ours, keyof Made> | Exclude<keyof Made, keyof Ours>];
type All<T extends Record<string, true>> = T;

export type Checked = All<{
  Artifact: Fits<ours.Artifact, made.Artifact>;
  Curve: Fits<ours.Curve, made.Curve>;
  CurveKey: Fits<ours.CurveKey, made.CurveKey>;
  Experiment: Fits<ours.Experiment, made.Experiment>;
  RunRow: Fits<ours.RunRow, made.Run>;
  RunPage: Fits<ours.RunPage, made.RunPage>;
  RunDetail: Fits<ours.RunDetail, made.RunDetail>;
  RunInput: Fits<ours.RunInput, made.RunInput>;
  TableHead: Fits<ours.TableHead, made.Table>;
  Interval: Fits<ours.Interval, made.Interval>;
  AliasChange: Fits<ours.AliasChange, made.AliasChange>;
  VersionRow: Fits<ours.VersionRow, made.VersionRow>;
  ModelSummary: Fits<ours.ModelSummary, made.ModelSummary>;
  ModelDetail: Fits<ours.ModelDetail, made.ModelDetail>;
}>;
