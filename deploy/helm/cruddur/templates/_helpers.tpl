{{- define "cruddur.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The labels that select the pods of a component: (list . "web"). */}}
{{- define "cruddur.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "cruddur.labels" -}}
{{- $root := index . 0 -}}
{{ include "cruddur.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "cruddur.image" -}}
{{- $image := .Values.image -}}
{{- $repository := required "set image.repository to the repository of the image" $image.repository -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "cruddur.serviceAccount" -}}
{{- $account := .Values.serviceAccount -}}
{{- default (ternary (include "cruddur.fullname" .) "default" $account.create) $account.name -}}
{{- end -}}

{{/* The settings that are not secret: those of `env`, and what the chart knows. */}}
{{- define "cruddur.settings" -}}
{{- $ingress := .Values.ingress -}}
{{- $settings := deepCopy .Values.env -}}
{{- if not $settings.BACKEND_URL -}}
{{- if not $ingress.enabled -}}
{{- fail "set env.BACKEND_URL to the address that visitors use, or enable the ingress" -}}
{{- end -}}
{{- $host := required "set ingress.host to the name that visitors use" $ingress.host -}}
{{- $_ := set $settings "BACKEND_URL" (printf "%s://%s" (ternary "https" "http" (ne $ingress.tlsSecret "")) $host) -}}
{{- end -}}
{{- if not $settings.FRONTEND_URL -}}
{{- $_ := set $settings "FRONTEND_URL" $settings.BACKEND_URL -}}
{{- end -}}
{{- if not (hasKey $settings "CRUDDUR_TRUSTED_HOPS") -}}
{{- $_ := set $settings "CRUDDUR_TRUSTED_HOPS" (ternary "1" "0" $ingress.enabled) -}}
{{- end -}}
{{- toYaml $settings -}}
{{- end -}}

{{/* The variables of a container: (list . settings). The secrets are files, which "cruddur.secrets" mounts. */}}
{{- define "cruddur.variables" -}}
{{- $root := index . 0 -}}
{{- range $name, $value := index . 1 }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- range $root.Values.secretKeys }}
- name: {{ . }}_FILE
  value: /run/secrets/cruddur/{{ . }}
{{- end }}
{{- with $root.Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "cruddur.mounts" -}}
- name: secrets
  mountPath: /run/secrets/cruddur
  readOnly: true
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "cruddur.volumes" -}}
- name: secrets
  secret:
    secretName: {{ required "set existingSecret to the Secret that holds CONNECTION_URL" .Values.existingSecret }}
    defaultMode: 0440
    items:
      {{- range .Values.secretKeys }}
      - key: {{ . }}
        path: {{ . }}
      {{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What all pods have. The user is that of the image, and can read the secrets by its group. */}}
{{- define "cruddur.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "cruddur.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/* Rules of `egress`: name servers. */}}
{{- define "cruddur.egressToNames" -}}
- ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
{{- end -}}

{{- define "cruddur.egressToDatabase" -}}
- ports:
    {{- range .Values.networkPolicy.databasePorts }}
    - port: {{ . }}
    {{- end }}
{{- end -}}

{{/* Public addresses only: members choose links that the service fetches. */}}
{{- define "cruddur.egressToPublic" -}}
- to:
    - ipBlock:
        cidr: 0.0.0.0/0
        except: [0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16]
    - ipBlock:
        cidr: ::/0
        except: [fc00::/7, fe80::/10]
  ports:
    {{- range .Values.networkPolicy.publicPorts }}
    - port: {{ . }}
    {{- end }}
{{- end -}}
