/**
 * The REST API under {@code /api/v1}: a thin HTTP skin of {@link io.holdfast.node.api.NodeApi} over
 * mutual TLS. Peers are identified by the URI in their certificate, whatever their address.
 */
@NullMarked
package io.holdfast.node.rest;

import org.jspecify.annotations.NullMarked;
