// Requests to traceview. Only a failed request means that the server is unreachable; an error
// while the page processes a response does not.

export class UnreachableError extends Error {}

/**
 * Send a request.
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<Response>} any response below 500
 * @throws {UnreachableError} there was no such response
 */
export async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new UnreachableError(String(error));
  }
  if (response.status >= 500) throw new UnreachableError(`status ${response.status}`);
  return response;
}
