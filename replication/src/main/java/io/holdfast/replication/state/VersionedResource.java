package io.holdfast.replication.state;

import io.holdfast.standard.Resource;

/**
 * A resource and how often it was written.
 *
 * @param resource the record
 * @param version 1 for the first write, then one more with each
 */
public record VersionedResource(Resource resource, long version) {}
