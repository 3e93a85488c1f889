/**
 * The storage on the wire: {@link io.holdfast.agent.storage.StorageService} serves a chunk store to
 * agents and to the other site, {@link io.holdfast.agent.storage.StorageClient} is the typed other
 * end. The contract is {@code agent.proto}.
 */
@NullMarked
package io.holdfast.agent.storage;

import org.jspecify.annotations.NullMarked;
