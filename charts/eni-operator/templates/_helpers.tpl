{{- define "eni-operator.serviceAccount" -}}
{{- if and (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) -}}
{{- fail "serviceAccount.name is empty: name the service account that the controller uses, or set serviceAccount.create to true." -}}
{{- end -}}
{{- .Values.serviceAccount.name | default "eni-operator-controller" -}}
{{- end -}}

{{- define "eni-operator.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "eni-operator.labels" -}}
app.kubernetes.io/name: eni-operator
app.kubernetes.io/component: {{ . }}
app.kubernetes.io/part-of: eni-operator
{{- end -}}

{{- define "eni-operator.controllerSettings" -}}
AWS_REGION: {{ .Values.awsRegion | quote }}
{{- with .Values.logLevel }}
LOG_LEVEL: {{ . | quote }}
{{- end }}
{{- with .Values.controller.maxConcurrentReconciles }}
MAX_CONCURRENT_RECONCILES: {{ . | int64 | quote }}
{{- end }}
{{- with .Values.controller.maxConcurrentENICleanup }}
MAX_CONCURRENT_ENI_CLEANUP: {{ . | int64 | quote }}
{{- end }}
{{- range $name, $value := .Values.controller.settings }}
{{ $name }}: {{ $value | toString | quote }}
{{- end }}
{{- end -}}

{{- define "eni-operator.agentSettings" -}}
{{- $settings := .Values.agent.settings -}}
{{- if not (hasKey $settings "LOG_LEVEL") -}}
LOG_LEVEL: {{ .Values.logLevel | default "info" | quote }}
{{- end }}
{{- range $name, $value := $settings }}
{{ $name }}: {{ $value | toString | quote }}
{{- end }}
{{- end -}}
