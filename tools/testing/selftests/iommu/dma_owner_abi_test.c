// SPDX-License-Identifier: GPL-2.0-only
/*
 * What userspace may get wrong: each mistake has its errno, and changes nothing.
 *
 * The errnos are those of a kernel without DMA ownership, which passes as well,
 * except that it does not survive the last three tests. Where the errnos did
 * change, S2 and S6 of dma_owner_vfio_test have them.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "../kselftest_harness.h"
#include "scene.h"

#define THREADS		4
#define CLAIMS		50
#define UNSETS		20

#define FREE		VFIO_GROUP_FLAGS_VIABLE
#define OWNED		(VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET)

/* Two groups, the second for what belongs to somebody else. */
struct desk {
	struct scene scene;
	struct scene other;
	int container;
	int group;
	char *edge;
};

FIXTURE(abi)
{
	struct desk desk;
};

static int call(int fd, unsigned long request, const void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

/* Behind the end of a writable page there is nothing. */
static char *edge_of_memory(void)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *mem;

	mem = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED || mprotect(mem + page, page, PROT_NONE))
		return NULL;
	return mem + page;
}

static __u32 flags_of(int group)
{
	__u32 flags;

	return vfio_group_flags(group, &flags) ? ~0 : flags;
}

FIXTURE_SETUP(abi)
{
	struct desk *desk = &self->desk;

	ASSERT_EQ(0, scene_setup(&desk->scene, DISTINCT));
	ASSERT_EQ(0, scene_setup(&desk->other, BESIDE));
	desk->edge = edge_of_memory();
	ASSERT_NE(NULL, desk->edge);
	desk->container = vfio_open_container();
	ASSERT_LE(0, desk->container);
	desk->group = vfio_open_group(desk->scene.group->id);
	ASSERT_LE(0, desk->group);
}

/* Whatever happened, the group must be of use again. */
FIXTURE_TEARDOWN(abi)
{
	struct desk *desk = &self->desk;
	struct scene *scene = &desk->scene;

	close(desk->group);
	close(desk->container);
	EXPECT_EQ(0, vfio_user_open(&scene->user, scene->a));
	EXPECT_EQ(0, edu_answers(&scene->user));
	EXPECT_EQ(0, scene_teardown(&desk->other));
	EXPECT_EQ(0, scene_teardown(scene));
}

/* Own the group, with its IOMMU set up. Returns A's descriptor, or -errno. */
static int own(struct desk *desk)
{
	int ret;

	ret = vfio_set_container(desk->group, desk->container);
	if (!ret)
		ret = vfio_set_iommu(desk->container);
	return ret ? ret : vfio_open_device(desk->group, desk->scene.a);
}

TEST_F(abi, status_of_bad_structures)
{
	struct desk *desk = &self->desk;
	struct vfio_group_status status = { .flags = ~0 };
	size_t min = sizeof(status);

	EXPECT_EQ(-EINVAL, call(desk->group, VFIO_GROUP_GET_STATUS, &status));
	status.argsz = min - 1;
	EXPECT_EQ(-EINVAL, call(desk->group, VFIO_GROUP_GET_STATUS, &status));
	EXPECT_EQ(~0, status.flags);
	EXPECT_EQ(-EFAULT, call(desk->group, VFIO_GROUP_GET_STATUS, NULL));
	EXPECT_EQ(-EFAULT, call(desk->group, VFIO_GROUP_GET_STATUS, desk->edge));

	status.argsz = min;
	memcpy(desk->edge - min, &status, min);
	EXPECT_EQ(0, call(desk->group, VFIO_GROUP_GET_STATUS, desk->edge - min));
	EXPECT_EQ(-EFAULT, call(desk->group, VFIO_GROUP_GET_STATUS,
				desk->edge - min + 1));
	ASSERT_EQ(0, mprotect(desk->edge - sysconf(_SC_PAGESIZE), 1, PROT_READ));
	EXPECT_EQ(-EFAULT, call(desk->group, VFIO_GROUP_GET_STATUS,
				desk->edge - min));
}

/* Space for flags that are yet to come is left alone. */
TEST_F(abi, status_of_larger_structure)
{
	struct desk *desk = &self->desk;
	struct {
		struct vfio_group_status status;
		__u32 more[4];
	} large = {
		.status.argsz = sizeof(large),
		.more = { 1, 2, 3, 4 },
	}, before = large;

	EXPECT_EQ(0, call(desk->group, VFIO_GROUP_GET_STATUS, &large));
	EXPECT_EQ(FREE, large.status.flags);
	EXPECT_EQ(0, memcmp(large.more, before.more, sizeof(large.more)));
}

TEST_F(abi, set_container_to_what_is_none)
{
	struct desk *desk = &self->desk;
	int file, closed;

	file = open("/dev/null", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, file);
	closed = dup(desk->container);
	ASSERT_LE(0, closed);
	close(closed);
	EXPECT_EQ(-EFAULT, call(desk->group, VFIO_GROUP_SET_CONTAINER, NULL));
	EXPECT_EQ(-EFAULT, call(desk->group, VFIO_GROUP_SET_CONTAINER,
				desk->edge - 1));
	EXPECT_EQ(-EINVAL, vfio_set_container(desk->group, -1));
	EXPECT_EQ(-EINVAL, vfio_set_container(desk->group, INT_MIN));
	EXPECT_EQ(-EBADF, vfio_set_container(desk->group, INT_MAX));
	EXPECT_EQ(-EBADF, vfio_set_container(desk->group, closed));
	EXPECT_EQ(-EINVAL, vfio_set_container(desk->group, file));
	EXPECT_EQ(-EINVAL, vfio_set_container(desk->group, desk->group));
	EXPECT_EQ(FREE, flags_of(desk->group));
	EXPECT_EQ(-EINVAL, vfio_unset_container(desk->group));
	close(file);
}

TEST_F(abi, set_container_to_a_device)
{
	struct desk *desk = &self->desk;
	struct scene *other = &desk->other;

	ASSERT_EQ(0, vfio_user_open(&other->user, other->a));
	EXPECT_EQ(-EINVAL, vfio_set_container(desk->group, other->user.device));
	EXPECT_EQ(-EINVAL, vfio_set_container(desk->group, other->user.group));
	EXPECT_EQ(FREE, flags_of(desk->group));
	EXPECT_EQ(OWNED, flags_of(other->user.group));
}

TEST_F(abi, set_container_twice)
{
	struct desk *desk = &self->desk;
	int second, device;

	second = vfio_open_container();
	ASSERT_LE(0, second);
	ASSERT_EQ(0, vfio_set_container(desk->group, desk->container));
	EXPECT_EQ(-EINVAL, vfio_set_container(desk->group, desk->container));
	EXPECT_EQ(-EINVAL, vfio_set_container(desk->group, second));
	EXPECT_EQ(-EINVAL, vfio_set_iommu(second));
	EXPECT_EQ(OWNED, flags_of(desk->group));
	ASSERT_EQ(0, vfio_set_iommu(desk->container));
	device = vfio_open_device(desk->group, desk->scene.a);
	ASSERT_LE(0, device);
	EXPECT_EQ(-EINVAL, vfio_set_container(desk->group, second));
	close(device);
	EXPECT_EQ(0, vfio_unset_container(desk->group));
	EXPECT_EQ(FREE, flags_of(desk->group));
	EXPECT_EQ(0, vfio_set_container(desk->group, second));
	close(second);
}

TEST_F(abi, unset_without_container)
{
	struct desk *desk = &self->desk;

	EXPECT_EQ(-EINVAL, vfio_unset_container(desk->group));
	ASSERT_EQ(0, vfio_set_container(desk->group, desk->container));
	EXPECT_EQ(0, vfio_unset_container(desk->group));
	EXPECT_EQ(-EINVAL, vfio_unset_container(desk->group));
	EXPECT_EQ(FREE, flags_of(desk->group));
}

TEST_F(abi, unset_in_use)
{
	struct desk *desk = &self->desk;
	int device, second;

	device = own(desk);
	ASSERT_LE(0, device);
	second = vfio_open_device(desk->group, desk->scene.a);
	ASSERT_LE(0, second);
	EXPECT_EQ(-EBUSY, vfio_unset_container(desk->group));
	close(device);
	EXPECT_EQ(-EBUSY, vfio_unset_container(desk->group));
	EXPECT_EQ(OWNED, flags_of(desk->group));
	close(second);
	EXPECT_EQ(0, vfio_unset_container(desk->group));
}

TEST_F(abi, device_too_early)
{
	struct desk *desk = &self->desk;

	EXPECT_EQ(-EINVAL, vfio_open_device(desk->group, desk->scene.a));
	ASSERT_EQ(0, vfio_set_container(desk->group, desk->container));
	EXPECT_EQ(-EINVAL, vfio_open_device(desk->group, desk->scene.a));
	EXPECT_EQ(OWNED, flags_of(desk->group));
	EXPECT_EQ(0, vfio_unset_container(desk->group));
	EXPECT_EQ(-EINVAL, vfio_open_device(desk->group, desk->scene.a));
}

/* None of the attempts may leave a user of the container behind. */
TEST_F(abi, device_of_bad_name)
{
	struct desk *desk = &self->desk;
	size_t page = sysconf(_SC_PAGESIZE);
	char *name = desk->edge - page;
	int device;

	device = own(desk);
	ASSERT_LE(0, device);
	close(device);
	EXPECT_EQ(-EFAULT, vfio_open_device(desk->group, NULL));
	EXPECT_EQ(-EFAULT, vfio_open_device(desk->group, desk->edge));
	memset(name, 'x', page);
	EXPECT_EQ(-EFAULT, vfio_open_device(desk->group, name + 1));
	EXPECT_EQ(-EINVAL, vfio_open_device(desk->group, name));
	name[page - 1] = '\0';
	EXPECT_EQ(-ENODEV, vfio_open_device(desk->group, name));
	EXPECT_EQ(-ENODEV, vfio_open_device(desk->group, ""));
	EXPECT_EQ(-ENODEV, vfio_open_device(desk->group, "0000:00"));
	EXPECT_EQ(-ENODEV, vfio_open_device(desk->group, desk->scene.b));
	EXPECT_EQ(-ENODEV, vfio_open_device(desk->group, desk->other.a));
	snprintf(name, page, "%s0", desk->scene.a);
	EXPECT_EQ(-ENODEV, vfio_open_device(desk->group, name));
	snprintf(name, page, "%s x", desk->scene.a);
	EXPECT_EQ(-EINVAL, vfio_open_device(desk->group, name));
	EXPECT_EQ(OWNED, flags_of(desk->group));
	EXPECT_EQ(0, vfio_unset_container(desk->group));
}

TEST_F(abi, iommu_of_bad_type)
{
	struct desk *desk = &self->desk;

	EXPECT_EQ(-EINVAL, vfio_set_iommu(desk->container));
	ASSERT_EQ(0, vfio_set_container(desk->group, desk->container));
	EXPECT_EQ(-ENODEV, vfio_set_iommu_type(desk->container, 0));
	EXPECT_EQ(-ENODEV, vfio_set_iommu_type(desk->container, -1));
	EXPECT_EQ(-ENODEV, vfio_set_iommu_type(desk->container,
					       VFIO_SPAPR_TCE_v2_IOMMU));
	EXPECT_EQ(-ENODEV, vfio_set_iommu_type(desk->container,
					       VFIO_NOIOMMU_IOMMU));
	EXPECT_EQ(OWNED, flags_of(desk->group));
	ASSERT_EQ(0, vfio_set_iommu(desk->container));
	EXPECT_EQ(-EINVAL, vfio_set_iommu(desk->container));
	EXPECT_EQ(-EINVAL, vfio_set_iommu_type(desk->container, 0));
	EXPECT_EQ(0, vfio_unset_container(desk->group));
	EXPECT_EQ(-EINVAL, vfio_set_iommu(desk->container));
}

static int extension(int container, long which)
{
	return call(container, VFIO_CHECK_EXTENSION, (void *)which);
}

TEST_F(abi, extensions)
{
	struct desk *desk = &self->desk;
	int step;

	for (step = 0; step < 3; step++) {
		EXPECT_EQ(1, extension(desk->container, VFIO_TYPE1v2_IOMMU));
		EXPECT_EQ(0, extension(desk->container, VFIO_NOIOMMU_IOMMU));
		EXPECT_EQ(0, extension(desk->container, 0));
		EXPECT_EQ(0, extension(desk->container, -1));
		if (step == 0)
			EXPECT_EQ(0, vfio_set_container(desk->group,
							desk->container));
		if (step == 1)
			EXPECT_EQ(0, vfio_set_iommu(desk->container));
	}
}

/* Each call, on a descriptor that it is not for. */
TEST_F(abi, wrong_kind_of_descriptor)
{
	struct desk *desk = &self->desk;
	struct vfio_group_status status = { .argsz = sizeof(status) };
	int device, file, closed;

	device = own(desk);
	ASSERT_LE(0, device);
	file = open("/dev/null", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, file);
	closed = dup(file);
	close(closed);

	EXPECT_EQ(-ENOTTY, call(desk->container, VFIO_GROUP_GET_STATUS, &status));
	EXPECT_EQ(-ENOTTY, call(device, VFIO_GROUP_GET_STATUS, &status));
	EXPECT_EQ(-ENOTTY, call(file, VFIO_GROUP_GET_STATUS, &status));
	EXPECT_EQ(-EBADF, call(closed, VFIO_GROUP_GET_STATUS, &status));
	EXPECT_EQ(-ENOTTY, vfio_set_container(device, desk->container));
	EXPECT_EQ(-ENOTTY, vfio_set_container(desk->container, desk->group));
	EXPECT_EQ(-EBADF, vfio_set_container(closed, desk->container));
	EXPECT_EQ(-ENOTTY, vfio_unset_container(device));
	EXPECT_EQ(-ENOTTY, vfio_unset_container(desk->container));
	EXPECT_EQ(-ENOTTY, vfio_open_device(device, desk->scene.a));
	EXPECT_EQ(-ENOTTY, vfio_open_device(desk->container, desk->scene.a));
	EXPECT_EQ(-ENOTTY, vfio_set_iommu(desk->group));
	EXPECT_EQ(-ENOTTY, vfio_set_iommu(device));
	EXPECT_EQ(-EBADF, vfio_set_iommu(closed));
	EXPECT_EQ(-ENOTTY, call(desk->group, VFIO_CHECK_EXTENSION, NULL));
	EXPECT_EQ(-ENOTTY, call(desk->group, VFIO_BASE + 99, NULL));
	EXPECT_EQ(OWNED, flags_of(desk->group));
	close(device);
	EXPECT_EQ(0, vfio_unset_container(desk->group));
	close(file);
}

/* A container without an IOMMU does not know any other call. */
TEST_F(abi, container_too_early)
{
	struct desk *desk = &self->desk;

	EXPECT_EQ(-EINVAL, vfio_map(desk->container, desk->edge, 0, 4096));
	EXPECT_EQ(-EINVAL, vfio_unset_container(desk->container));
	ASSERT_EQ(0, vfio_set_container(desk->group, desk->container));
	EXPECT_EQ(-EINVAL, vfio_map(desk->container, desk->edge, 0, 4096));
	EXPECT_EQ(OWNED, flags_of(desk->group));
}

/* A group has one file, as long as anything of it is open. */
TEST_F(abi, group_opened_twice)
{
	struct desk *desk = &self->desk;
	int id = desk->scene.group->id;
	int device;

	EXPECT_EQ(-EBUSY, vfio_open_group(id));
	device = own(desk);
	ASSERT_LE(0, device);
	EXPECT_EQ(-EBUSY, vfio_open_group(id));
	close(desk->group);
	EXPECT_EQ(-EBUSY, vfio_open_group(id));
	close(device);
	desk->group = vfio_open_group(id);
	EXPECT_LE(0, desk->group);
	EXPECT_EQ(FREE, flags_of(desk->group));
}

/* The container lives on in its groups. */
TEST_F(abi, container_closed_first)
{
	struct desk *desk = &self->desk;
	int device;

	device = own(desk);
	ASSERT_LE(0, device);
	close(desk->container);
	EXPECT_EQ(OWNED, flags_of(desk->group));
	close(device);
	device = vfio_open_device(desk->group, desk->scene.a);
	EXPECT_LE(0, device);
	close(device);
	EXPECT_EQ(0, vfio_unset_container(desk->group));
	desk->container = vfio_open_container();
	EXPECT_EQ(0, vfio_set_container(desk->group, desk->container));
}

TEST_F(abi, two_groups_in_a_container)
{
	struct desk *desk = &self->desk;
	struct scene *other = &desk->other;
	int device;

	device = own(desk);
	ASSERT_LE(0, device);
	other->user.group = vfio_open_group(other->group->id);
	ASSERT_LE(0, other->user.group);
	EXPECT_EQ(FREE, flags_of(other->user.group));
	ASSERT_EQ(0, vfio_set_container(other->user.group, desk->container));
	EXPECT_EQ(-ENODEV, vfio_open_device(desk->group, other->a));
	EXPECT_EQ(-ENODEV, vfio_open_device(other->user.group, desk->scene.a));
	EXPECT_EQ(-EBUSY, vfio_unset_container(desk->group));
	EXPECT_EQ(0, vfio_unset_container(other->user.group));
	EXPECT_EQ(OWNED, flags_of(desk->group));
	EXPECT_EQ(FREE, flags_of(other->user.group));

	ASSERT_EQ(0, vfio_set_container(other->user.group, desk->container));
	other->user.device = vfio_open_device(other->user.group, other->a);
	ASSERT_LE(0, other->user.device);
	close(device);
	EXPECT_EQ(0, vfio_unset_container(desk->group));
	EXPECT_EQ(OWNED, flags_of(other->user.group));
	EXPECT_EQ(0, edu_answers(&other->user));
}

/* A copy of a descriptor is as good as the first. */
TEST_F(abi, duplicated_descriptor)
{
	struct desk *desk = &self->desk;
	int id = desk->scene.group->id;
	int copy;

	copy = dup(desk->group);
	ASSERT_LE(0, copy);
	ASSERT_EQ(0, vfio_set_container(copy, desk->container));
	close(desk->group);
	EXPECT_EQ(OWNED, flags_of(copy));
	EXPECT_EQ(-EBUSY, vfio_open_group(id));
	close(copy);
	desk->group = vfio_open_group(id);
	EXPECT_LE(0, desk->group);
}

/* Close everything that makes the group owned. */
static void disown(struct desk *desk, int device)
{
	close(device);
	close(desk->group);
	close(desk->container);
}

/* A child inherits ownership, and is the last to let go of it. */
TEST_F(abi, inherited_descriptor)
{
	struct desk *desk = &self->desk;
	int id = desk->scene.group->id;
	int device, pipe_fds[2];
	pid_t pid;
	char byte;

	device = own(desk);
	ASSERT_LE(0, device);
	ASSERT_EQ(0, pipe(pipe_fds));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(pipe_fds[1]);
		_exit(read(pipe_fds[0], &byte, 1));
	}
	disown(desk, device);
	EXPECT_EQ(-EBUSY, vfio_open_group(id));
	close(pipe_fds[1]);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	desk->group = vfio_open_group(id);
	EXPECT_LE(0, desk->group);
	EXPECT_EQ(FREE, flags_of(desk->group));
}

static int send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = {}, byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&msg);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

/* On its way to somebody else, the group is owned as well. */
TEST_F(abi, passed_descriptor)
{
	struct desk *desk = &self->desk;
	int id = desk->scene.group->id;
	int device, socks[2];

	device = own(desk);
	ASSERT_LE(0, device);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	ASSERT_EQ(0, send_fd(socks[0], desk->group));
	disown(desk, device);
	EXPECT_EQ(-EBUSY, vfio_open_group(id));
	close(socks[0]);
	EXPECT_EQ(-EBUSY, vfio_open_group(id));
	close(socks[1]);
	desk->group = vfio_open_group(id);
	EXPECT_LE(0, desk->group);
	EXPECT_EQ(FREE, flags_of(desk->group));
}

/* Everything above that is wrong on a free group, or on an owned one. */
static int misuse(struct desk *desk)
{
	int good = 0;

	good += !call(desk->group, VFIO_GROUP_GET_STATUS, NULL);
	good += !call(desk->group, VFIO_GROUP_SET_CONTAINER, NULL);
	good += !vfio_set_container(desk->group, -1);
	good += !vfio_set_container(desk->group, INT_MAX);
	good += !vfio_set_container(desk->group, desk->group);
	good += !vfio_set_container(desk->container, desk->group);
	good += !vfio_unset_container(desk->container);
	good += !vfio_set_iommu(desk->group);
	good += !vfio_set_iommu_type(desk->container, 0);
	good += vfio_open_device(desk->group, NULL) >= 0;
	good += vfio_open_device(desk->group, "") >= 0;
	good += vfio_open_device(desk->group, desk->scene.b) >= 0;
	good += vfio_open_device(desk->group, desk->other.a) >= 0;
	good += vfio_open_group(desk->scene.group->id) >= 0;
	return good;
}

/* None of it keeps a driver from the group. */
TEST_F(abi, misuse_claims_nothing)
{
	struct desk *desk = &self->desk;

	EXPECT_EQ(0, misuse(desk));
	EXPECT_EQ(-EINVAL, vfio_unset_container(desk->group));
	EXPECT_EQ(0, pci_bind(desk->scene.b, "e1000"));
	EXPECT_EQ(0, pci_unbind(desk->scene.b));
	EXPECT_EQ(FREE, flags_of(desk->group));
}

/* A thread that puts the group into a container of its own, at a signal. */
struct racer {
	pthread_t thread;
	pthread_barrier_t *start;
	int container;
	int group;
	int ret;
};

static void *racer_run(void *data)
{
	struct racer *racer = data;

	pthread_barrier_wait(racer->start);
	racer->ret = vfio_set_container(racer->group, racer->container);
	return NULL;
}

/* How many of the racers win, if the others lose as they should; or -errno. */
static int race(struct racer *racers, pthread_barrier_t *start)
{
	int i, wins = 0, ret = 0;

	for (i = 0; i < THREADS; i++) {
		racers[i].start = start;
		if (pthread_create(&racers[i].thread, NULL, racer_run, &racers[i]))
			return -EAGAIN;
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(racers[i].thread, NULL);
		wins += !racers[i].ret;
		if (racers[i].ret && racers[i].ret != -EINVAL)
			ret = racers[i].ret;
	}
	return ret ? ret : wins;
}

/*
 * One of many claims at a time wins. It takes longest to join a container that
 * has an IOMMU already: then the others come in between, if they can.
 */
TEST_F(abi, concurrent_claims)
{
	struct desk *desk = &self->desk;
	struct scene *other = &desk->other;
	struct racer racers[THREADS];
	pthread_barrier_t start;
	int i, round;

	ASSERT_EQ(0, pthread_barrier_init(&start, NULL, THREADS));
	ASSERT_EQ(0, vfio_user_claim(&other->user, other->group->id));
	ASSERT_EQ(0, vfio_set_iommu(other->user.container));
	for (i = 0; i < THREADS; i++) {
		racers[i].group = desk->group;
		racers[i].container = i ? vfio_open_container() :
					  dup(other->user.container);
		ASSERT_LE(0, racers[i].container);
	}
	for (round = 0; round < CLAIMS; round++) {
		ASSERT_EQ(1, race(racers, &start));
		ASSERT_EQ(OWNED, flags_of(desk->group));
		ASSERT_EQ(0, vfio_unset_container(desk->group));
	}
	for (i = 0; i < THREADS; i++)
		close(racers[i].container);
}

/* A thread that opens and closes A, whether there is a container or not. */
struct opener {
	pthread_t thread;
	const char *bdf;
	int group;
	bool stop;
	int opened;
	int error;
};

static void *opener_run(void *data)
{
	struct opener *opener = data;
	int device;

	while (!__atomic_load_n(&opener->stop, __ATOMIC_ACQUIRE)) {
		device = vfio_open_device(opener->group, opener->bdf);
		if (device >= 0) {
			opener->opened++;
			close(device);
		} else if (device != -EINVAL) {
			opener->error = device;
		}
	}
	return NULL;
}

/* Leave the container as soon as the other thread lets go. */
static int unset_at_last(int group)
{
	int ret;

	do {
		ret = vfio_unset_container(group);
	} while (ret == -EBUSY);
	return ret;
}

/* An open and an unset at a time: one of the two is too late. */
TEST_F(abi, concurrent_use)
{
	struct desk *desk = &self->desk;
	struct opener opener = {
		.bdf = desk->scene.a,
		.group = desk->group,
	};
	int round;

	ASSERT_EQ(0, pthread_create(&opener.thread, NULL, opener_run, &opener));
	for (round = 0; round < UNSETS; round++) {
		EXPECT_EQ(0, vfio_set_container(desk->group, desk->container));
		EXPECT_EQ(0, vfio_set_iommu(desk->container));
		usleep(1000);
		EXPECT_EQ(0, unset_at_last(desk->group));
	}
	__atomic_store_n(&opener.stop, true, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(opener.thread, NULL));
	EXPECT_EQ(0, opener.error);
	EXPECT_LT(0, opener.opened);
}

/* Who misuses an owned group does not lose it, nor who misuses another one. */
TEST_F(abi, misuse_keeps_owner)
{
	struct desk *desk = &self->desk;
	struct scene *scene = &desk->scene;
	int device;

	device = own(desk);
	ASSERT_LE(0, device);
	EXPECT_EQ(0, misuse(desk));
	EXPECT_EQ(-EBUSY, pci_bind(scene->b, "e1000"));
	EXPECT_EQ(-EBUSY, vfio_unset_container(desk->group));
	close(device);
	EXPECT_EQ(0, misuse(desk));
	EXPECT_EQ(-EBUSY, pci_bind(scene->b, "e1000"));
	EXPECT_EQ(0, pci_bind(desk->other.b, "e1000"));
	EXPECT_EQ(0, vfio_unset_container(desk->group));
	EXPECT_EQ(0, pci_bind(scene->b, "e1000"));
	EXPECT_EQ(0, misuse(desk));
	EXPECT_EQ(-EPERM, vfio_set_container(desk->group, desk->container));
	EXPECT_EQ(0, flags_of(desk->group));
	EXPECT_EQ(0, pci_unbind(scene->b));
}

TEST_HARNESS_MAIN
