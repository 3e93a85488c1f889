/**
 * Shipping: makes the other site's storage hold the frames of this one, while jobs still run
 * (DR-PROTOCOL 4.1). Runs in the storage process and knows no Ratis. Begin at {@link
 * io.holdfast.replication.ship.Shipper}.
 */
@NullMarked
package io.holdfast.replication.ship;

import org.jspecify.annotations.NullMarked;
