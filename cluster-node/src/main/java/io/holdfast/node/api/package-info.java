/**
 * What a node can be asked: {@link io.holdfast.node.api.NodeApi} and the values that go in and come
 * out. The same values travel as JSON over REST and are printed by the {@code holdfast} command
 * with {@code --json}; field names are part of the published API.
 *
 * <p>Nothing here knows HTTP. Optional fields are {@code @Nullable} and absent from the JSON.
 */
@NullMarked
package io.holdfast.node.api;

import org.jspecify.annotations.NullMarked;
