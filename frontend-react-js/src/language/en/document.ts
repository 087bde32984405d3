/** What `index.html` says before its scripts run. The build inserts it, always in English. */
export const served = {
  description: "Cruddur: say it now, it will be gone soon.",
  noScript:
    'Cruddur needs JavaScript. Its API does not: see <a href="/docs">its documentation</a>.',
};
