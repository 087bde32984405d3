/** What admins manage: settings, invitations and announcements. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call } from "../api/http";
import type {
  AnnouncementDraft,
  InstanceDraft,
  InstanceSettings,
  Invitation,
  InvitationDraft,
} from "../api/wire";
import { NOTIFY_ON_ERROR } from "./client";
import { INSTANCE } from "./instance";

const SETTINGS = ["instance-settings"];
const INVITATIONS = ["invitations"];

export function useInstanceSettings() {
  return useQuery({
    queryKey: SETTINGS,
    queryFn: ({ signal }) => call("get", "/api/instance/settings", { signal }),
    staleTime: 0,
  });
}

export function useChangeInstance() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Partial<InstanceDraft>) => call("put", "/api/instance/settings", { body }),
    onSuccess: (changed) => {
      client.setQueryData<InstanceSettings>(SETTINGS, changed);
      return client.invalidateQueries({ queryKey: INSTANCE });
    },
  });
}

/** The invitations that have not expired, the latest first. */
export function useInvitations() {
  return useQuery({
    queryKey: INVITATIONS,
    queryFn: ({ signal }) => call("get", "/api/instance/invitations", { signal }),
    staleTime: 0,
  });
}

export function useInvite() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Partial<InvitationDraft>) =>
      call("post", "/api/instance/invitations", { body }),
    onSuccess: (created) =>
      client.setQueryData<readonly Invitation[]>(
        INVITATIONS,
        (listed) => listed && [created, ...listed],
      ),
  });
}

export function useRevokeInvitation() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ uuid }: Invitation) =>
      call("delete", "/api/instance/invitations/{uuid}", { path: { uuid } }),
    onSuccess: (left) => client.setQueryData<readonly Invitation[]>(INVITATIONS, left),
    meta: NOTIFY_ON_ERROR,
  });
}

export function useAnnounce() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: AnnouncementDraft) => call("post", "/api/instance/announcements", { body }),
    onSuccess: () => client.invalidateQueries({ queryKey: INSTANCE }),
  });
}

export function useDeleteAnnouncement() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (uuid: string) =>
      call("delete", "/api/instance/announcements/{uuid}", { path: { uuid } }),
    onSuccess: () => client.invalidateQueries({ queryKey: INSTANCE }),
    meta: NOTIFY_ON_ERROR,
  });
}
