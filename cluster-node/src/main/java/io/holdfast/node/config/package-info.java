/**
 * What a node is told before it starts: {@code node.yml}, read as a whole with every problem
 * reported at once, and the durable {@code role.json} that {@code init} writes.
 */
@NullMarked
package io.holdfast.node.config;

import org.jspecify.annotations.NullMarked;
