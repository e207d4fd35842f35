"""The table of known tokens. Data only; `tokens` reads it."""

from __future__ import annotations

from typing import Final

__all__ = ["TABLE"]

# Service, prefix, alphabet, and how many characters follow the prefix. `!` after the
# number: exactly so many, since the prefix alone is also the beginning of words. `?`:
# what follows must also look generated.
TABLE: Final = """
1Password secret key|A3-|word|30!
1Password service account|ops_eyJ|base64|250
Adafruit IO|aio_|alnum|28!
Adobe client secret|p8e-|alnum|32!
Adobe client secret 2|p9e-|alnum|32!
age|AGE-SECRET-KEY-1|upper|58
age plugin|AGE-PLUGIN-|word|40
Aikido|AIK_|word|40!
Airbrake|airbrake_|alnum|32
Aiven|AVNS_|word|19!
Alibaba Cloud|LTAI|alnum|20?
Amazon access key|AKIA|upper|16!
Amazon session key|ASIA|upper|16!
Amazon role|AROA|upper|16!
Amazon user|AIDA|upper|16!
Amazon bearer key|ABIA|upper|16!
Amazon context key|ACCA|upper|16!
Amazon MWS|amzn.mws.|word|36
Amazon LWA secret|amzn1.oa2-cs.v1.|hex|64
Amazon LWA client|amzn1.application-oa2-client.|hex|32
Amazon AppSync|da2-|alnum|26!
Amazon Bedrock|ABSK|base64|109?
Amazon Bedrock, short-lived|bedrock-api-key-|base64|100
Anthropic|sk-ant-api03-|word|95
Anthropic admin|sk-ant-admin01-|word|95
Anthropic OAuth|sk-ant-oat01-|word|95
Anyscale|esecret_|alnum|26
Apify|apify_api_|word|36
Arize Phoenix|ak-|word|40?
Artifactory API key|AKCp|alnum|69?
Artifactory reference token|cmVmdGtu|alnum|56
Asana personal|ATP_|word|40!
Atlassian|ATATT3x|base64|180
Atlassian admin|ATCTT3xFfG|base64|180
Atlassian OAuth|ATOA|base64|180?
Authress|authress_|dots|60
Authress service client|sc_|dots|60?
Baseten|bst_|alnum|40!
Basten proxy|bstpk_|alnum|40
BeeHiiv|bh_|alnum|60!
Bitbucket app password|ATBB|dots|32?
Bitbucket data center|BBDC-|base64|44
Braintree|access_token$production$|any|49
Braintree sandbox|access_token$sandbox$|any|49
Brevo|xkeysib-|word|81
Brevo SMTP|xsmtpsib-|word|81
BrowserStack|bs_key_|alnum|20
Buildkite user|bkua_|alnum|40
Buildkite agent|bkct_|word|40
Buildkite cluster|bkcq_|word|40
Canva|cnvca|word|40?
CircleCI personal|CCIPAT_|word|60
CircleCI project|CCIPRJ_|word|60
Clerk live|sk_live_|alnum|24
Clerk test|sk_test_|alnum|24
ClickHouse Cloud|4b1d|alnum|38!
ClickUp|pk_|word|40?
Clojars|CLOJARS_|alnum|60
Cloudflare origin CA|v1.0-|word|171
Cloudflare user token|cfut_|alnum|48
Cloudflare account token|cfat_|alnum|48
Cloudflare global key|cfk_|alnum|48
Cockroach Cloud|CCDB1_|word|60
Cohere|co_api_|word|40
Contentful|CFPAT-|word|43
Coze|pat_|alnum|64?
CrowdStrike|CRWD-|word|32
CSC Crates.io|cio|alnum|32!
Databricks|dapi|hex|32!
Databricks CLI|dkea|hex|32!
Databricks OAuth secret|dose|hex|32!
Databricks service|dsapi|hex|32!
DataStax Astra|AstraCS:|any|90
Datadog client token|pub|hex|32!
Datadog app key|ddapp_|alnum|34
Datadog personal|ddp_|alnum|36
Datadog workload|ddw_|alnum|36
Defined Networking|dnkey-|word|52
Deno Deploy|ddo_|alnum|36
dbt Cloud user|dbtu_|word|40
dbt Cloud service|dbtc_|word|40
DigitalOcean|dop_v1_|hex|64
DigitalOcean OAuth|doo_v1_|hex|64
DigitalOcean refresh|dor_v1_|hex|64
Docker Hub|dckr_pat_|word|27
Docker Hub organization|dckr_oat_|word|32
Doppler personal|dp.pt.|alnum|43
Doppler service|dp.st.|dots|43
Doppler CLI|dp.ct.|alnum|43
Doppler service account|dp.sa.|alnum|43
Doppler SCIM|dp.scim.|alnum|43
Doppler audit|dp.audit.|alnum|43
Dropbox|sl.|word|130
Dropbox short-lived|sl.u.|word|130
Duffel live|duffel_live_|base64|43
Duffel test|duffel_test_|base64|43
Dynatrace|dt0c01.|dots|89
Dynatrace platform|dt0s16.|dots|89
Dynatrace OAuth|dt0s02.|dots|73
E2B|e2b_|hex|40
EasyPost live|EZAK|alnum|54
EasyPost test|EZTK|alnum|54
ElevenLabs|sk_|hex|48!
Endor Labs|endr+|word|16
Facebook page|EAAC|alnum|100
Facebook app|EAAM|alnum|100
Facebook business|EAAB|alnum|100
Facebook graph|EAAG|alnum|100
Fal|fal_|word|40
Fastly|fst_|word|32
Figma personal|figd_|word|40
Figma access|figp_|word|40
Figma OAuth|figo_|word|40
Firecrawl|fc-|hex|32!
Fireworks AI|fw_|alnum|22!
Flutterwave|FLWSECK-|word|34
Flutterwave test|FLWSECK_TEST-|word|34
Fly.io|fo1_|word|43
Fly.io macaroon|fm1r_|base64|100
Fly.io macaroon a|fm1a_|base64|100
Fly.io macaroon 2|fm2_|base64|100
Frame.io|fio-u-|base64|64
GitHub|ghp_|alnum|36
GitHub OAuth|gho_|alnum|36
GitHub user|ghu_|alnum|36
GitHub server|ghs_|alnum|36
GitHub refresh|ghr_|alnum|36
GitHub fine-grained|github_pat_|word|82
GitHub models|ghm_|alnum|36
GitLab|glpat-|dots|20
GitLab deploy|gldt-|word|20
GitLab runner|glrt-|dots|20
GitLab runner, project|glrtr-|dots|20
GitLab old runner|GR1348941|word|20
GitLab trigger|glptt-|word|40
GitLab feed|glft-|word|20
GitLab mail|glimt-|word|25
GitLab agent|glagent-|word|50
GitLab OAuth|gloas-|word|64
GitLab SCIM|glsoat-|word|20
GitLab job|glcbt-|word|26
GitLab feature flags|glffct-|word|20
GitLab workspace|glwt-|word|20
Google API key|AIza|word|35
Google API key 2|AQ.Ab|word|48
Google OAuth secret|GOCSPX-|word|28
Google OAuth access|ya29.|word|60
Google OAuth refresh|1//0|word|60
Grafana service account|glsa_|word|41
Grafana Cloud|glc_|base64|60
Grafana old key|eyJrIjoi|base64|70
Groq|gsk_|alnum|52
Harness personal|pat.|dots|68?
Harness service|sat.|dots|68?
HashiCorp Vault|hvs.|word|90
HashiCorp Vault batch|hvb.|word|138
HashiCorp Vault recovery|hvr.|word|90
HashiCorp Vault, old|s.|alnum|24!
Helicone|sk-helicone-|word|30
Heroku|HRKU-|word|60
Highnote|sk_live_hn_|alnum|40
Honeycomb ingest|hcaik_|alnum|58
Honeycomb management|hcamk_|alnum|58
HubSpot Europe|pat-eu1-|word|36
HubSpot America|pat-na1-|word|36
Hugging Face|hf_|alnum|34
Hugging Face organization|api_org_|alnum|34
Infracost|ico-|alnum|32!
Infracost Cloud|ics_v1_|word|40
Instagram|IGQV|word|100
Intercom|dG9r|base64|56?
JFrog reference|cmVmd|alnum|59
Jina AI|jina_|word|60
Kraken CI|kci_|alnum|40
Lakera|lk_|alnum|40!
LangSmith personal|lsv2_pt_|word|43
LangSmith service|lsv2_sk_|word|43
LangSmith, old|ls__|alnum|32
Langfuse|sk-lf-|word|36
LaunchDarkly SDK|sdk-|word|36?
LaunchDarkly API|api-|word|36?
Lemon Squeezy|ls_|alnum|60!
Linear|lin_api_|alnum|40
Linear OAuth|lin_oauth_|hex|64
Lob live|live_|hex|35!
Lob test|test_|hex|35!
LlamaCloud|llx-|alnum|48
Mailgun|key-|alnum|32?
Mandrill|md-|word|22?
Mapbox secret|sk.eyJ|dots|80
Mapbox temporary|tk.eyJ|dots|80
Mergify|mergify_|word|40
Meta Llama|LLM\\||any|30
Mistral agents|ag:|any|40?
Modal secret|as-|alnum|22!
Modal key|ak-|alnum|22!
MongoDB Atlas service|mdb_sa_sk_|word|40
Mux|mux_|alnum|60
Neon|napi_|alnum|64
Netlify|nfp_|alnum|36
Netlify CLI|nfc_|alnum|36
Netlify OAuth|nfo_|alnum|36
New Relic user|NRAK-|upper|27
New Relic admin|NRAA-|alnum|27
New Relic browser|NRJS-|alnum|19
New Relic ingest|NRII-|word|32
New Relic query|NRIQ-|word|32
Nightfall|NF-|alnum|32?
Notion|ntn_|alnum|46
Notion, old|secret_|alnum|43?
npm|npm_|alnum|36
NuGet|oy2|alnum|43!
NVIDIA|nvapi-|word|64
Octopus Deploy|API-|upper|26!
Okta|00|word|40!
Ollama|ollama_|alnum|40
Onfido live|api_live.|dots|43
Onfido sandbox|api_sandbox.|dots|43
OpenAI|sk-|word|48?
OpenAI project|sk-proj-|word|48
OpenAI service account|sk-svcacct-|word|48
OpenAI admin|sk-admin-|word|48
OpenRouter|sk-or-v1-|hex|64
OpenShift|sha256~|word|43
PagerDuty|pdus+_|word|30
Paddle live|pdl_live_|word|40
Paddle sandbox|pdl_sdbx_|word|40
Paystack live|sk_live_ps_|alnum|40
Perplexity|pplx-|alnum|48
Persona|persona_production_|word|36
Pinecone|pcsk_|word|69
PlanetScale password|pscale_pw_|dots|43
PlanetScale token|pscale_tkn_|dots|43
PlanetScale OAuth|pscale_oauth_|dots|43
Polar|polar_oat_|word|43
PostHog personal|phx_|word|43
PostHog secret|phs_|word|43
PostHog refresh|phr_|word|43
Postman|PMAK-|word|59
Postman collection|PMAT-|word|26
Prefect|pnu_|alnum|36
Prefect service|pnb_|alnum|36
Proof of Play|pop_live_|alnum|32
PubNub secret|sec-c-|word|48
Pulumi|pul-|hex|40
PyPI|pypi-|word|85
Qdrant|qdr_|word|40
Qovery|qov_|word|40
Ramp secret|ramp_sec_|alnum|48
Razorpay live|rzp_live_|alnum|14!
Razorpay test|rzp_test_|alnum|14!
ReadMe|rdme_|alnum|70
Redis Cloud|rediscloud_|alnum|40
Relevance AI|sk-rel-|word|40
Render|rnd_|alnum|32
Replicate|r8_|word|37
Resend|re_|word|32?
Retool|retool_01|word|30
Robinhood crypto|rh-api-|word|36
Rootly|rootly_|hex|64
RubyGems|rubygems_|hex|48
RunPod|rpa_|alnum|40
Salad Cloud|salad_cloud_|word|40
Samsara|samsara_api_|alnum|30
Scaleway|SCW|upper|17!
Scalingo|tk-us-|word|48
Segment|sgp_|word|60
Sendbird|sb_|hex|40!
SendGrid|SG.|dots|66
Sentry organization|sntrys_|base64|80
Sentry user|sntryu_|hex|64
Sentry app|sntrya_|hex|64
Sentry integration|sntryi_|hex|64
Settlemint application|sm_aat_|alnum|16
Settlemint personal|sm_pat_|alnum|16
Settlemint service|sm_sat_|alnum|16
Shippo live|shippo_live_|hex|40
Shippo test|shippo_test_|hex|40
Shopify access|shpat_|hex|32
Shopify custom app|shpca_|hex|32
Shopify private app|shppa_|hex|32
Shopify secret|shpss_|hex|32
Shopify theme|shptka_|hex|32
Shortcut|shltm_|word|40
Slack bot|xoxb-|word|40
Slack user|xoxp-|word|60
Slack app|xapp-|word|60
Slack legacy|xoxa-|word|40
Slack workspace|xoxr-|word|40
Slack legacy o|xoxo-|word|40
Slack session|xoxs-|word|40
Slack configuration|xoxe.xoxp-|word|160
Slack configuration bot|xoxe.xoxb-|word|160
Slack refresh|xoxe-|word|148
Slack cookie|xoxc-|word|60
Slack cookie d|xoxd-|any|60
Snyk|snyk_uat.|dots|40
Snyk service|snyk_sat.|dots|40
SonarQube user|squ_|hex|40
SonarQube project|sqp_|hex|40
SonarQube global|sqa_|hex|40
SonarCloud|sqco_|alnum|59
Sourcegraph|sgp_local_|hex|40
Sourcegraph dot com|slk_|hex|64
Square access|sq0atp-|word|22
Square secret|sq0csp-|word|43
Square OAuth|EAAA|word|60
Stability|sk-sai-|word|40
Statsig|secret-|alnum|43?
StackHawk|hawk.|dots|41
Stripe live|rk_live_|alnum|24
Stripe test|rk_test_|alnum|24
Stripe production|sk_prod_|alnum|24
Stripe webhook|whsec_|base64|32
Stytch live|secret-live-|base64|36
Stytch test|secret-test-|base64|36
Supabase personal|sbp_|hex|40
Supabase secret|sb_secret_|word|31
Tableau|tblpat_|word|40
Tailscale|tskey-|word|40
Tavily|tvly-|word|32
Tencent Cloud|AKID|word|32?
Thunderstore|tss_|alnum|40!
Together AI|tgp_v1_|word|43
Twilio key|SK|hex|32!
Twitch|oauth:|alnum|30!
Typeform|tfp_|word|44
Upstash Vector|ABUF|base64|60?
Val Town|vtwn_|alnum|32
Vercel|vck_|alnum|56
Vercel personal|vcp_|alnum|56
Vercel integration|vci_|alnum|56
Vercel app|vca_|alnum|56
Vercel blob|vercel_blob_rw_|word|30
Voiceflow|VF.DM.|dots|41
Volcengine|AKLT|base64|40?
Voyage AI|pa-|word|43?
VolcEngine ARK|ark-|word|36?
Wandb|wandb_v1_|word|40
WakaTime|waka_|word|36
Webflow|wf_|hex|64!
WorkOS|sk_live_wos_|alnum|40
WorkOS test|sk_test_a2V5|alnum|40
WooCommerce secret|cs_|hex|40!
WooCommerce key|ck_|hex|40!
xAI|xai-|word|80
Yandex Cloud|AQVN|word|35?
Yandex OAuth|y0_|word|55
Yandex IAM|t1.9|dots|180
Zapier|zpka_|alnum|30
Zhipu|zai-|word|40?
Zuplo|zpka-|word|40
"""
