package io.holdfast.agent.storage;

import java.util.UUID;

/**
 * An open session with a storage.
 *
 * @param id the storage's name for it
 * @param storeIncarnation which store it is: the key of a "have" cache, with the epoch
 */
public record StorageSession(UUID id, UUID storeIncarnation) {}
