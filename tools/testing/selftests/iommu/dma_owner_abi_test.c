// SPDX-License-Identifier: GPL-2.0-only
/*
 * What userspace may get wrong: each mistake has its errno, and changes nothing.
 *
 * The errnos are those of a kernel without DMA ownership, which passes as well,
 * except that it does not survive the last three tests. Where the errnos did
 * change, dma_owner_vfio_test has them, in the tests that refuse a claim.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "abi_threads.h"
#include "scene_test.h"

#define CLAIMS		50
#define UNSETS		20

#define FREE		VFIO_GROUP_FLAGS_VIABLE
#define OWNED		(VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET)

/* Two groups, the second for what belongs to somebody else. */
struct desk {
	struct scene scene;
	struct scene other;
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

FIXTURE_SETUP(abi)
{
	struct desk *desk = &self->desk;

	ASSERT_EQ(0, scene_setup(&desk->scene, DISTINCT));
	ASSERT_EQ(0, scene_setup(&desk->other, BESIDE));
	desk->edge = edge_of_memory();
	ASSERT_NE(NULL, desk->edge);
	ASSERT_EQ(0, scene_open_group(&desk->scene));
}

/* Whatever happened, the group must be of use again. */
FIXTURE_TEARDOWN(abi)
{
	struct desk *desk = &self->desk;
	struct scene *scene = &desk->scene;

	vfio_user_close(&scene->user);
	EXPECT_EQ(0, vfio_user_open(&scene->user, scene->a));
	EXPECT_EQ(0, edu_answers(&scene->user));
	EXPECT_EQ(0, scene_teardown(&desk->other));
	EXPECT_EQ(0, scene_teardown(scene));
}

/* Own the group, with its IOMMU set up, and open A. */
static int own(struct desk *desk)
{
	struct vfio_user *user = &desk->scene.user;
	int ret;

	ret = vfio_user_set_container(user);
	return ret ? ret : vfio_user_start(user, desk->scene.a);
}

TEST_F(abi, status_of_bad_structures)
{
	struct desk *desk = &self->desk;
	struct vfio_user *user = &self->desk.scene.user;
	struct vfio_group_status status = { .flags = ~0 };
	size_t min = sizeof(status);

	EXPECT_EQ(-EINVAL, call(user->group, VFIO_GROUP_GET_STATUS, &status));
	status.argsz = min - 1;
	EXPECT_EQ(-EINVAL, call(user->group, VFIO_GROUP_GET_STATUS, &status));
	EXPECT_EQ(~0, status.flags);
	EXPECT_EQ(-EFAULT, call(user->group, VFIO_GROUP_GET_STATUS, NULL));
	EXPECT_EQ(-EFAULT, call(user->group, VFIO_GROUP_GET_STATUS, desk->edge));

	status.argsz = min;
	memcpy(desk->edge - min, &status, min);
	EXPECT_EQ(0, call(user->group, VFIO_GROUP_GET_STATUS, desk->edge - min));
	EXPECT_EQ(-EFAULT, call(user->group, VFIO_GROUP_GET_STATUS,
				desk->edge - min + 1));
	ASSERT_EQ(0, mprotect(desk->edge - sysconf(_SC_PAGESIZE), 1, PROT_READ));
	EXPECT_EQ(-EFAULT, call(user->group, VFIO_GROUP_GET_STATUS,
				desk->edge - min));
}

/* Space for flags that are yet to come is left alone. */
TEST_F(abi, status_of_larger_structure)
{
	struct vfio_user *user = &self->desk.scene.user;
	struct {
		struct vfio_group_status status;
		__u32 more[4];
	} large = {
		.status.argsz = sizeof(large),
		.more = { 1, 2, 3, 4 },
	}, before = large;

	EXPECT_EQ(0, call(user->group, VFIO_GROUP_GET_STATUS, &large));
	EXPECT_EQ(FREE, large.status.flags);
	EXPECT_EQ(0, memcmp(large.more, before.more, sizeof(large.more)));
}

TEST_F(abi, set_container_to_what_is_none)
{
	struct desk *desk = &self->desk;
	struct vfio_user *user = &self->desk.scene.user;
	int file, closed;

	file = open("/dev/null", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, file);
	closed = dup(user->container);
	ASSERT_LE(0, closed);
	close(closed);
	EXPECT_EQ(-EFAULT, call(user->group, VFIO_GROUP_SET_CONTAINER, NULL));
	EXPECT_EQ(-EFAULT, call(user->group, VFIO_GROUP_SET_CONTAINER,
				desk->edge - 1));
	EXPECT_EQ(-EINVAL, vfio_set_container(user->group, -1));
	EXPECT_EQ(-EINVAL, vfio_set_container(user->group, INT_MIN));
	EXPECT_EQ(-EBADF, vfio_set_container(user->group, INT_MAX));
	EXPECT_EQ(-EBADF, vfio_set_container(user->group, closed));
	EXPECT_EQ(-EINVAL, vfio_set_container(user->group, file));
	EXPECT_EQ(-EINVAL, vfio_set_container(user->group, user->group));
	EXPECT_EQ(FREE, vfio_flags_of(user->group));
	EXPECT_EQ(-EINVAL, vfio_unset_container(user->group));
	close(file);
}

TEST_F(abi, set_container_to_a_device)
{
	struct desk *desk = &self->desk;
	struct vfio_user *user = &self->desk.scene.user;
	struct scene *other = &desk->other;

	ASSERT_EQ(0, vfio_user_open(&other->user, other->a));
	EXPECT_EQ(-EINVAL, vfio_set_container(user->group, other->user.device));
	EXPECT_EQ(-EINVAL, vfio_set_container(user->group, other->user.group));
	EXPECT_EQ(FREE, vfio_flags_of(user->group));
	EXPECT_EQ(OWNED, vfio_flags_of(other->user.group));
}

TEST_F(abi, set_container_twice)
{
	struct desk *desk = &self->desk;
	struct vfio_user *user = &self->desk.scene.user;
	int second;

	second = vfio_open_container();
	ASSERT_LE(0, second);
	ASSERT_EQ(0, vfio_user_set_container(user));
	EXPECT_EQ(-EINVAL, vfio_user_set_container(user));
	EXPECT_EQ(-EINVAL, vfio_set_container(user->group, second));
	EXPECT_EQ(-EINVAL, vfio_set_iommu(second));
	EXPECT_EQ(OWNED, vfio_flags_of(user->group));
	ASSERT_EQ(0, vfio_set_iommu(user->container));
	ASSERT_EQ(0, vfio_user_open_device(user, desk->scene.a));
	EXPECT_EQ(-EINVAL, vfio_set_container(user->group, second));
	vfio_user_close_device(user);
	EXPECT_EQ(0, vfio_unset_container(user->group));
	EXPECT_EQ(FREE, vfio_flags_of(user->group));
	EXPECT_EQ(0, vfio_set_container(user->group, second));
	close(second);
}

TEST_F(abi, unset_without_container)
{
	struct vfio_user *user = &self->desk.scene.user;

	EXPECT_EQ(-EINVAL, vfio_unset_container(user->group));
	ASSERT_EQ(0, vfio_user_set_container(user));
	EXPECT_EQ(0, vfio_unset_container(user->group));
	EXPECT_EQ(-EINVAL, vfio_unset_container(user->group));
	EXPECT_EQ(FREE, vfio_flags_of(user->group));
}

TEST_F(abi, unset_in_use)
{
	struct desk *desk = &self->desk;
	struct vfio_user *user = &self->desk.scene.user;
	int second;

	ASSERT_EQ(0, own(desk));
	second = vfio_open_device(user->group, desk->scene.a);
	ASSERT_LE(0, second);
	EXPECT_EQ(-EBUSY, vfio_unset_container(user->group));
	vfio_user_close_device(user);
	EXPECT_EQ(-EBUSY, vfio_unset_container(user->group));
	EXPECT_EQ(OWNED, vfio_flags_of(user->group));
	close(second);
	EXPECT_EQ(0, vfio_unset_container(user->group));
}

TEST_F(abi, device_too_early)
{
	struct desk *desk = &self->desk;
	struct vfio_user *user = &self->desk.scene.user;

	EXPECT_EQ(-EINVAL, vfio_open_device(user->group, desk->scene.a));
	ASSERT_EQ(0, vfio_user_set_container(user));
	EXPECT_EQ(-EINVAL, vfio_open_device(user->group, desk->scene.a));
	EXPECT_EQ(OWNED, vfio_flags_of(user->group));
	EXPECT_EQ(0, vfio_unset_container(user->group));
	EXPECT_EQ(-EINVAL, vfio_open_device(user->group, desk->scene.a));
}

/* None of the attempts may leave a user of the container behind. */
TEST_F(abi, device_of_bad_name)
{
	struct desk *desk = &self->desk;
	struct vfio_user *user = &self->desk.scene.user;
	size_t page = sysconf(_SC_PAGESIZE);
	char *name = desk->edge - page;

	ASSERT_EQ(0, own(desk));
	vfio_user_close_device(user);
	EXPECT_EQ(-EFAULT, vfio_open_device(user->group, NULL));
	EXPECT_EQ(-EFAULT, vfio_open_device(user->group, desk->edge));
	memset(name, 'x', page);
	EXPECT_EQ(-EFAULT, vfio_open_device(user->group, name + 1));
	EXPECT_EQ(-EINVAL, vfio_open_device(user->group, name));
	name[page - 1] = '\0';
	EXPECT_EQ(-ENODEV, vfio_open_device(user->group, name));
	EXPECT_EQ(-ENODEV, vfio_open_device(user->group, ""));
	EXPECT_EQ(-ENODEV, vfio_open_device(user->group, "0000:00"));
	EXPECT_EQ(-ENODEV, vfio_open_device(user->group, desk->scene.b));
	EXPECT_EQ(-ENODEV, vfio_open_device(user->group, desk->other.a));
	snprintf(name, page, "%s0", desk->scene.a);
	EXPECT_EQ(-ENODEV, vfio_open_device(user->group, name));
	snprintf(name, page, "%s x", desk->scene.a);
	EXPECT_EQ(-EINVAL, vfio_open_device(user->group, name));
	EXPECT_EQ(OWNED, vfio_flags_of(user->group));
	EXPECT_EQ(0, vfio_unset_container(user->group));
}

TEST_F(abi, iommu_of_bad_type)
{
	struct vfio_user *user = &self->desk.scene.user;

	EXPECT_EQ(-EINVAL, vfio_set_iommu(user->container));
	ASSERT_EQ(0, vfio_user_set_container(user));
	EXPECT_EQ(-ENODEV, vfio_set_iommu_type(user->container, 0));
	EXPECT_EQ(-ENODEV, vfio_set_iommu_type(user->container, -1));
	EXPECT_EQ(-ENODEV, vfio_set_iommu_type(user->container,
					       VFIO_SPAPR_TCE_v2_IOMMU));
	EXPECT_EQ(-ENODEV, vfio_set_iommu_type(user->container,
					       VFIO_NOIOMMU_IOMMU));
	EXPECT_EQ(OWNED, vfio_flags_of(user->group));
	ASSERT_EQ(0, vfio_set_iommu(user->container));
	EXPECT_EQ(-EINVAL, vfio_set_iommu(user->container));
	EXPECT_EQ(-EINVAL, vfio_set_iommu_type(user->container, 0));
	EXPECT_EQ(0, vfio_unset_container(user->group));
	EXPECT_EQ(-EINVAL, vfio_set_iommu(user->container));
}

static int extension(int container, long which)
{
	return call(container, VFIO_CHECK_EXTENSION, (void *)which);
}

TEST_F(abi, extensions)
{
	struct vfio_user *user = &self->desk.scene.user;
	int step;

	for (step = 0; step < 3; step++) {
		EXPECT_EQ(1, extension(user->container, VFIO_TYPE1v2_IOMMU));
		EXPECT_EQ(0, extension(user->container, VFIO_NOIOMMU_IOMMU));
		EXPECT_EQ(0, extension(user->container, 0));
		EXPECT_EQ(0, extension(user->container, -1));
		if (step == 0)
			EXPECT_EQ(0, vfio_user_set_container(user));
		if (step == 1)
			EXPECT_EQ(0, vfio_set_iommu(user->container));
	}
}

/* Each call, on a descriptor that it is not for. */
TEST_F(abi, wrong_kind_of_descriptor)
{
	struct desk *desk = &self->desk;
	struct vfio_user *user = &self->desk.scene.user;
	struct vfio_group_status status = { .argsz = sizeof(status) };
	int file, closed;

	ASSERT_EQ(0, own(desk));
	file = open("/dev/null", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, file);
	closed = dup(file);
	close(closed);

	EXPECT_EQ(-ENOTTY, call(user->container, VFIO_GROUP_GET_STATUS, &status));
	EXPECT_EQ(-ENOTTY, call(user->device, VFIO_GROUP_GET_STATUS, &status));
	EXPECT_EQ(-ENOTTY, call(file, VFIO_GROUP_GET_STATUS, &status));
	EXPECT_EQ(-EBADF, call(closed, VFIO_GROUP_GET_STATUS, &status));
	EXPECT_EQ(-ENOTTY, vfio_set_container(user->device, user->container));
	EXPECT_EQ(-ENOTTY, vfio_set_container(user->container, user->group));
	EXPECT_EQ(-EBADF, vfio_set_container(closed, user->container));
	EXPECT_EQ(-ENOTTY, vfio_unset_container(user->device));
	EXPECT_EQ(-ENOTTY, vfio_unset_container(user->container));
	EXPECT_EQ(-ENOTTY, vfio_open_device(user->device, desk->scene.a));
	EXPECT_EQ(-ENOTTY, vfio_open_device(user->container, desk->scene.a));
	EXPECT_EQ(-ENOTTY, vfio_set_iommu(user->group));
	EXPECT_EQ(-ENOTTY, vfio_set_iommu(user->device));
	EXPECT_EQ(-EBADF, vfio_set_iommu(closed));
	EXPECT_EQ(-ENOTTY, call(user->group, VFIO_CHECK_EXTENSION, NULL));
	EXPECT_EQ(-ENOTTY, call(user->group, VFIO_BASE + 99, NULL));
	EXPECT_EQ(OWNED, vfio_flags_of(user->group));
	vfio_user_close_device(user);
	EXPECT_EQ(0, vfio_unset_container(user->group));
	close(file);
}

/* A container without an IOMMU does not know any other call. */
TEST_F(abi, container_too_early)
{
	struct desk *desk = &self->desk;
	struct vfio_user *user = &self->desk.scene.user;

	EXPECT_EQ(-EINVAL, vfio_map(user->container, desk->edge, 0, 4096));
	EXPECT_EQ(-EINVAL, vfio_unset_container(user->container));
	ASSERT_EQ(0, vfio_user_set_container(user));
	EXPECT_EQ(-EINVAL, vfio_map(user->container, desk->edge, 0, 4096));
	EXPECT_EQ(OWNED, vfio_flags_of(user->group));
}

/* A group has one file, as long as anything of it is open. */
TEST_F(abi, group_opened_twice)
{
	struct desk *desk = &self->desk;
	struct vfio_user *user = &self->desk.scene.user;
	int id = desk->scene.group->id;

	EXPECT_EQ(-EBUSY, vfio_open_group(id));
	ASSERT_EQ(0, own(desk));
	EXPECT_EQ(-EBUSY, vfio_open_group(id));
	vfio_user_close_group(user);
	EXPECT_EQ(-EBUSY, vfio_open_group(id));
	vfio_user_close_device(user);
	user->group = vfio_open_group(id);
	EXPECT_LE(0, user->group);
	EXPECT_EQ(FREE, vfio_flags_of(user->group));
}

/* The container lives on in its groups. */
TEST_F(abi, container_closed_first)
{
	struct desk *desk = &self->desk;
	struct vfio_user *user = &self->desk.scene.user;

	ASSERT_EQ(0, own(desk));
	close(user->container);
	EXPECT_EQ(OWNED, vfio_flags_of(user->group));
	vfio_user_close_device(user);
	EXPECT_EQ(0, vfio_user_open_device(user, desk->scene.a));
	vfio_user_close_device(user);
	EXPECT_EQ(0, vfio_unset_container(user->group));
	user->container = vfio_open_container();
	EXPECT_EQ(0, vfio_user_set_container(user));
}

TEST_F(abi, two_groups_in_a_container)
{
	struct desk *desk = &self->desk;
	struct vfio_user *user = &self->desk.scene.user;
	struct scene *other = &desk->other;

	ASSERT_EQ(0, own(desk));
	other->user.group = vfio_open_group(other->group->id);
	ASSERT_LE(0, other->user.group);
	EXPECT_EQ(FREE, vfio_flags_of(other->user.group));
	ASSERT_EQ(0, vfio_set_container(other->user.group, user->container));
	EXPECT_EQ(-ENODEV, vfio_open_device(user->group, other->a));
	EXPECT_EQ(-ENODEV, vfio_open_device(other->user.group, desk->scene.a));
	EXPECT_EQ(-EBUSY, vfio_unset_container(user->group));
	EXPECT_EQ(0, vfio_unset_container(other->user.group));
	EXPECT_EQ(OWNED, vfio_flags_of(user->group));
	EXPECT_EQ(FREE, vfio_flags_of(other->user.group));

	ASSERT_EQ(0, vfio_set_container(other->user.group, user->container));
	ASSERT_EQ(0, vfio_user_open_device(&other->user, other->a));
	vfio_user_close_device(user);
	EXPECT_EQ(0, vfio_unset_container(user->group));
	EXPECT_EQ(OWNED, vfio_flags_of(other->user.group));
	EXPECT_EQ(0, edu_answers(&other->user));
}

/* A copy of a descriptor is as good as the first. */
TEST_F(abi, duplicated_descriptor)
{
	struct desk *desk = &self->desk;
	struct vfio_user *user = &self->desk.scene.user;
	int id = desk->scene.group->id;
	int copy;

	copy = dup(user->group);
	ASSERT_LE(0, copy);
	ASSERT_EQ(0, vfio_set_container(copy, user->container));
	vfio_user_close_group(user);
	EXPECT_EQ(OWNED, vfio_flags_of(copy));
	EXPECT_EQ(-EBUSY, vfio_open_group(id));
	close(copy);
	user->group = vfio_open_group(id);
	EXPECT_LE(0, user->group);
}

/* A child inherits ownership, and is the last to let go of it. */
TEST_F(abi, inherited_descriptor)
{
	struct desk *desk = &self->desk;
	struct vfio_user *user = &self->desk.scene.user;
	int id = desk->scene.group->id;
	int pipe_fds[2];
	pid_t pid;
	char byte;

	ASSERT_EQ(0, own(desk));
	ASSERT_EQ(0, pipe(pipe_fds));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(pipe_fds[1]);
		_exit(read(pipe_fds[0], &byte, 1));
	}
	vfio_user_close(user);
	EXPECT_EQ(-EBUSY, vfio_open_group(id));
	close(pipe_fds[1]);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	user->group = vfio_open_group(id);
	EXPECT_LE(0, user->group);
	EXPECT_EQ(FREE, vfio_flags_of(user->group));
}

/* On its way to somebody else, the group is owned as well. */
TEST_F(abi, passed_descriptor)
{
	struct desk *desk = &self->desk;
	struct vfio_user *user = &self->desk.scene.user;
	int id = desk->scene.group->id;
	int socks[2];

	ASSERT_EQ(0, own(desk));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	ASSERT_EQ(0, send_fd(socks[0], user->group));
	vfio_user_close(user);
	EXPECT_EQ(-EBUSY, vfio_open_group(id));
	close(socks[0]);
	EXPECT_EQ(-EBUSY, vfio_open_group(id));
	close(socks[1]);
	user->group = vfio_open_group(id);
	EXPECT_LE(0, user->group);
	EXPECT_EQ(FREE, vfio_flags_of(user->group));
}

/* Everything above that is wrong on a free group, or on an owned one. */
static int misuse(struct desk *desk)
{
	struct vfio_user *user = &desk->scene.user;
	int good = 0;

	good += !call(user->group, VFIO_GROUP_GET_STATUS, NULL);
	good += !call(user->group, VFIO_GROUP_SET_CONTAINER, NULL);
	good += !vfio_set_container(user->group, -1);
	good += !vfio_set_container(user->group, INT_MAX);
	good += !vfio_set_container(user->group, user->group);
	good += !vfio_set_container(user->container, user->group);
	good += !vfio_unset_container(user->container);
	good += !vfio_set_iommu(user->group);
	good += !vfio_set_iommu_type(user->container, 0);
	good += vfio_open_device(user->group, NULL) >= 0;
	good += vfio_open_device(user->group, "") >= 0;
	good += vfio_open_device(user->group, desk->scene.b) >= 0;
	good += vfio_open_device(user->group, desk->other.a) >= 0;
	good += vfio_open_group(desk->scene.group->id) >= 0;
	return good;
}

/* None of it keeps a driver from the group. */
TEST_F(abi, misuse_claims_nothing)
{
	struct desk *desk = &self->desk;
	struct vfio_user *user = &self->desk.scene.user;

	EXPECT_EQ(0, misuse(desk));
	EXPECT_EQ(-EINVAL, vfio_unset_container(user->group));
	EXPECT_EQ(0, pci_bind(desk->scene.b, "e1000"));
	EXPECT_EQ(0, pci_unbind(desk->scene.b));
	EXPECT_EQ(FREE, vfio_flags_of(user->group));
}

/*
 * One of many claims at a time wins. It takes longest to join a container that
 * has an IOMMU already: then the others come in between, if they can.
 */
TEST_F(abi, concurrent_claims)
{
	struct desk *desk = &self->desk;
	struct vfio_user *user = &self->desk.scene.user;
	struct scene *other = &desk->other;
	struct racer racers[RACERS];
	pthread_barrier_t start;
	int i, round;

	ASSERT_EQ(0, pthread_barrier_init(&start, NULL, RACERS));
	ASSERT_EQ(0, vfio_user_claim(&other->user, other->group->id));
	ASSERT_EQ(0, vfio_set_iommu(other->user.container));
	for (i = 0; i < RACERS; i++) {
		racers[i].group = user->group;
		racers[i].container = i ? vfio_open_container() :
					  dup(other->user.container);
		ASSERT_LE(0, racers[i].container);
	}
	for (round = 0; round < CLAIMS; round++) {
		ASSERT_EQ(1, race(racers, &start));
		ASSERT_EQ(OWNED, vfio_flags_of(user->group));
		ASSERT_EQ(0, vfio_unset_container(user->group));
	}
	for (i = 0; i < RACERS; i++)
		close(racers[i].container);
}

/* An open and an unset at a time: one of the two is too late. */
TEST_F(abi, concurrent_use)
{
	struct desk *desk = &self->desk;
	struct vfio_user *user = &self->desk.scene.user;
	struct opener opener = {
		.bdf = desk->scene.a,
		.group = user->group,
	};
	int round;

	ASSERT_EQ(0, pthread_create(&opener.thread, NULL, opener_run, &opener));
	for (round = 0; round < UNSETS; round++) {
		EXPECT_EQ(0, vfio_user_set_container(user));
		EXPECT_EQ(0, vfio_set_iommu(user->container));
		usleep(1000);
		EXPECT_EQ(0, unset_at_last(user->group));
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
	struct vfio_user *user = &self->desk.scene.user;
	struct scene *scene = &desk->scene;

	ASSERT_EQ(0, own(desk));
	EXPECT_EQ(0, misuse(desk));
	expect_refused(scene);
	EXPECT_EQ(-EBUSY, vfio_unset_container(user->group));
	vfio_user_close_device(user);
	EXPECT_EQ(0, misuse(desk));
	expect_refused(scene);
	EXPECT_EQ(0, pci_bind(desk->other.b, "e1000"));
	EXPECT_EQ(0, vfio_unset_container(user->group));
	EXPECT_EQ(0, pci_bind(scene->b, "e1000"));
	EXPECT_EQ(0, misuse(desk));
	EXPECT_EQ(-EPERM, vfio_user_set_container(user));
	EXPECT_EQ(0, vfio_flags_of(user->group));
	EXPECT_EQ(0, pci_unbind(scene->b));
}

TEST_HARNESS_MAIN
