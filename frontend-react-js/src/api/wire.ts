/** The wire types, generated from the OpenAPI document, with the names of `wire.py`. */

import type { components, paths } from "./schema";

type Schemas = components["schemas"];

export type Crud = Schemas["Crud"];
export type Picture = Schemas["Picture"];
export type PictureChoice = Schemas["PictureChoice"];
export type UploadedPicture = Schemas["UploadedPicture"];
export type CrudPage = Schemas["CrudPage"];
export type CrudDraft = Schemas["CrudDraft"];
export type Ttl = CrudDraft["ttl"];
export type Counts = Schemas["Counts"];
export type LiveCounts = Schemas["LiveCounts"];
export type Preview = Schemas["Preview"];
export type LivePreview = Schemas["LivePreview"];
export type Gone = Schemas["Gone"];
export type Reset = Schemas["Reset"];
export type Notification = Schemas["Notification"];
export type NotificationGroup = Schemas["NotificationGroup"];
export type Profile = Schemas["Profile"];
export type ProfileFeed = Schemas["ProfileFeed"];
export type ProfileDraft = Schemas["ProfileDraft"];
export type ShortUser = Schemas["ShortUser"];
export type ListedUser = Schemas["ListedUser"];
export type AccountChange = Schemas["AccountChange"];
export type FollowChange = Schemas["FollowChange"];
export type Tag = Schemas["Tag"];
export type Message = Schemas["Message"];
export type SentMessage = Schemas["SentMessage"];
export type MessageGroup = Schemas["MessageGroup"];
export type MessageLifetime = Schemas["MessageLifetime"];
export type MessageTtl = Schemas["MessageLifetimeDraft"]["ttl"];
export type Member = Schemas["Member"];
export type SignedIn = Schemas["SignedIn"];
export type MutedUser = Schemas["MutedUser"];
export type MuteDuration = NonNullable<Schemas["MuteDraft"]["duration"]>;
export type MessagePolicy = Schemas["MessageSettings"]["policy"];
export type Hidden = Schemas["Hidden"];
export type MessageRequest = Schemas["MessageRequest"];
export type Session = Schemas["Session"];
export type SecondFactor = Schemas["SecondFactor"];
export type Passkey = Schemas["Passkey"];
export type PasskeyAnswer = Schemas["PasskeyAnswer"];
export type PasskeyAssertion = Schemas["PasskeyAssertion"];
export type PasskeyCreationOptions = Schemas["PasskeyCreationOptions"];
export type PasskeyRegistration = Schemas["PasskeyRegistration"];
export type PasskeyRequestOptions = Schemas["PasskeyRequestOptions"];
export type SecondFactorSecret = Schemas["SecondFactorSecret"];
export type EmailAddress = Schemas["EmailAddress"];
export type EmailChangeDraft = Schemas["EmailChangeDraft"];
export type ApiToken = Schemas["ApiToken"];
export type NewApiToken = Schemas["NewApiToken"];
export type ApiTokenDraft = Schemas["ApiTokenDraft"];
export type ReportDraft = Schemas["ReportDraft"];
export type Notice = Schemas["Notice"];
export type Case = Schemas["Case"];
export type CasePage = Schemas["CasePage"];
export type StoredEvidence = Schemas["StoredEvidence"];
export type AccountHistory = Schemas["AccountHistory"];
export type Decision = Schemas["Decision"];
export type DecisionDraft = Schemas["DecisionDraft"];
export type Instance = Schemas["Instance"];
export type InstanceSettings = Schemas["InstanceSettings"];
export type InstanceDraft = Schemas["InstanceDraft"];
export type Invitation = Schemas["Invitation"];
export type InvitationDraft = Schemas["InvitationDraft"];
export type Announcement = Schemas["Announcement"];
export type AnnouncementDraft = Schemas["AnnouncementDraft"];
export type AppealDecisionDraft = Schemas["AppealDecisionDraft"];

export type Method = "get" | "post" | "put" | "delete";
export type Path = keyof paths;

/** The paths that support a method. */
export type PathOf<M extends Method> = {
  [P in Path]: paths[P] extends { readonly [method in M]: object } ? P : never;
}[Path];

type Operation<M extends Method, P extends Path> = paths[P] extends {
  readonly [method in M]: infer O;
}
  ? O
  : never;

type Content<R> = R extends { readonly content: infer C } ? C[keyof C] : never;

/** The body of a successful response. */
export type Answer<M extends Method, P extends Path> =
  Operation<M, P> extends { readonly responses: { readonly 200: infer R } } ? Content<R> : never;

/** Every error code of any call. */
export type Code = {
  [P in Path]: { [M in Method]: RefusalCode<Operation<M, P>> }[Method];
}[Path];

type RefusalCode<O> = O extends { readonly responses: infer R }
  ? Content<R[Exclude<keyof R, 200 | 304>]> extends readonly (infer C)[]
    ? C
    : never
  : never;

type Parameters<O, Where extends string> = O extends {
  readonly parameters: { readonly [place in Where]: infer T };
}
  ? T
  : never;

type PathParameters<O> = [Parameters<O, "path">] extends [never]
  ? { path?: never }
  : { path: Parameters<O, "path"> };

type QueryParameters<O> = [Parameters<O, "query">] extends [never]
  ? // All query parameters of this path are optional.
    O extends { readonly parameters: { readonly query?: infer Q } }
    ? { query?: Q }
    : { query?: never }
  : { query: Parameters<O, "query"> };

type RequestBody<O> = O extends { readonly requestBody: { readonly content: infer C } }
  ? "application/json" extends keyof C
    ? { body: C["application/json"] }
    : { body: Blob }
  : { body?: never };

/** The input of a call, without the options that every call accepts. */
export type Input<M extends Method, P extends Path> = PathParameters<Operation<M, P>> &
  QueryParameters<Operation<M, P>> &
  RequestBody<Operation<M, P>>;
