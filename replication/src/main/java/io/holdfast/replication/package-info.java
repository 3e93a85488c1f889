@NullMarked
package io.holdfast.replication;

import org.jspecify.annotations.NullMarked;
