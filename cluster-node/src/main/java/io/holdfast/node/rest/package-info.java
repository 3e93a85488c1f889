/**
 * The REST API under {@code /api/v1}: a thin HTTP skin of {@link io.holdfast.node.api.NodeApi} over
 * mutual TLS, and the client of it. Peers are identified by the URI in their certificate, whatever
 * their address.
 *
 * <p>The beans exist only in the context that {@link io.holdfast.node.rest.RestServer} starts; other
 * Micronaut contexts of the same process do not see them.
 */
@NullMarked
@Configuration
@Requires(property = RestServer.ENABLED)
package io.holdfast.node.rest;

import io.micronaut.context.annotation.Configuration;
import io.micronaut.context.annotation.Requires;
import org.jspecify.annotations.NullMarked;
