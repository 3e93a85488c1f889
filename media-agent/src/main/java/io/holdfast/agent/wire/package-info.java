/**
 * What every call of Holdfast's wire protocols shares: ids as bytes, the request context with cluster
 * and epoch, and errors that keep <em>refused</em>, <em>unavailable</em> and <em>unknown</em> apart
 * from the server's handler to the caller.
 */
@NullMarked
package io.holdfast.agent.wire;

import org.jspecify.annotations.NullMarked;
