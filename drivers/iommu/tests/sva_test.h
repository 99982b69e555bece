/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices for tests of shared virtual addressing, as seen from userspace, by their
 * drivers here, and by what emulates one of them
 */
#ifndef __SVA_TEST_H
#define __SVA_TEST_H

/* Command of a queue, which is a file of drivers/misc/uacce: returns its PASID. */
#define SVA_TEST_PASID		_IO('V', 0)

/*
 * Registers of the emulated endpoint. They are in one BAR, of 8 bytes each. Page 0 is
 * for the driver. Each of the next is a queue, and can be given to a process: the
 * process tells the device addresses, the driver tells whose they are.
 */
#define SVA_ENDPOINT_BAR	2
#define SVA_ENDPOINT_PAGE	4096
#define SVA_ENDPOINT_QUEUES	15

/* Page 0 */
#define SVA_ENDPOINT_MAGIC	0x00	/* SVA_ENDPOINT_MAGIC_VALUE */
#define SVA_ENDPOINT_PASID(q)	(0x100 + 8 * (q)) /* of queue q, from 0; 0: it is off */
#define SVA_ENDPOINT_MAGIC_VALUE	0x746e696f70415653ULL /* "SVApoint" */

/* Pages of queues */
#define SVA_QUEUE_ADDRESS	0x00	/* where to read or write 8 bytes */
#define SVA_QUEUE_DATA		0x08	/* what to write, or what was read */
#define SVA_QUEUE_COMMAND	0x10	/* starts it: SVA_READ or SVA_WRITE */
#define SVA_QUEUE_STATUS	0x18	/* SVA_DONE and so on */
#define SVA_QUEUE_REQUESTS	0x20	/* pages that were requested so far */

#define SVA_READ		1
#define SVA_WRITE		2

#define SVA_DONE		0
#define SVA_BUSY		1	/* a page was requested */
#define SVA_FAULT		2	/* the page was refused, or could not be requested */
#define SVA_OFF			3	/* the queue has no PASID */

#endif /* __SVA_TEST_H */
