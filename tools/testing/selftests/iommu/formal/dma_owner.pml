// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA ownership of an IOMMU group, as a model for spin
 *
 * A group that has a default domain, one device that is always in it, and one
 * that joins and leaves whatever the driver core is doing to it. A driver core
 * for each device binds and unbinds drivers that use the DMA API, and others
 * that manage their own DMA. Each may attach its device to one of two private
 * domains, or else have it work on the memory of a process. Two users claim the
 * group, to be cut off or to attach a domain next, attach domains of their own or
 * take the blocking one for theirs, and give it back. Every attach may fail.
 * spin takes the steps in all orders that are possible:
 *
 *	spin -run -safety -DREVERSE -w24 -m28000000 dma_owner.pml
 *
 * Before each step stands the function of the kernel that takes it. What
 * happens under group->mutex is one step, for nobody can look meanwhile.
 *
 * Three things are checked:
 *
 *  invariant()	what the first comment of drivers/iommu/dma-owner.c promises;
 *		the blocking domain is nobody's, or it would have mappings
 *  ownership()	an owner stays the owner until it releases the group, and a
 *		kernel claim stands while a driver is bound, and no longer
 *  domains()	no device stays on a domain that is freed, and a driver that is
 *		bound finds its device on the default domain, with its DMA ops,
 *		or on the one that it attached; nor is one moved while it works
 *		on the memory of a process
 *
 * That nobody waits for ever is checked as well. All could be true of a model
 * in which nothing goes wrong, so each rule of the kernel can be taken away,
 * with -DBREAK_..., and then spin must find a fault. To see how it happens:
 *
 *	spin -DBREAK_JOIN_BARRIER -run -safety -bfs dma_owner.pml
 *	spin -DBREAK_JOIN_BARRIER -t -p -g dma_owner.pml
 *
 * dev->p->uses_dma_api and dev->iommu_group are read without a lock. A store to
 * one of them goes to a store buffer, and from there to memory at any time,
 * but with the next barrier of the same process at the latest. A load that a
 * machine does early looks the same to others, so one kind of buffer is enough.
 */

#define invariant(x)	assert(x)
#define ownership(x)	assert(x)
#define domains(x)	assert(x)

#define DEVICES		2
#define USERS		2
#define JOINER		0	/* the device that comes and goes */

/* Domains. A device on none is cut off. */
#define NONE		0
#define DEFAULT		1
#define OF_DRIVER(n)	(1 + (n))	/* private ones */
/* Of the two that are made for an owner, one is the blocking one, or becomes it. */
#define FIRST		4
#define SECOND		5
#define OTHER		(FIRST + SECOND - blocking)

typedef device {
	/* struct group_device, under the group's mutex */
	bit listed;
	bit dma_api;
	byte attached;	/* to which private domain */
	bit bonded;	/* sva_bonds */
	bit stranded;
	bit dma_ops_stale;
	/* what the IOMMU driver knows of the device */
	byte domain;
	bit dma_ops;
	/* struct device: uses_dma_api, iommu_group != NULL; device_lock() */
	bit claim;
	bit group;
	bit lock;
	/* store buffers */
	bit claim_buffered;
	bit claim_next;
	bit group_buffered;
	bit group_next;
	/* for the checks: a driver that has a claim may make the device do DMA
	 * (one without may do so while it is attached); the device is a member
	 * of the group; it is about to become one, or to leave */
	bit bound;
	bit joined;
	bit moving;
};

device dev[DEVICES];

/* struct iommu_group */
bit mutex;
byte owner;
byte owner_cnt;
byte private;
byte blocking;
byte domain = DEFAULT;

/* For the checks: the domain of the owner, until it frees it; it arrives, or is retired */
byte mine;
bit arriving;
bit retired;

/* Scratch, 0 outside of a step. */
byte i;
byte counted;
bit shared;
byte failed;
bit ok;

#define exists(d)	((d) <= DEFAULT || (d) == private || (d) == blocking || \
			 (d) == mine)

/* What every holder of the mutex leaves behind */
inline check_group()
{
	counted = 0;
	shared = 0;
	for (i : 0 .. DEVICES - 1) {
		counted = counted + dev[i].dma_api;
		shared = shared || dev[i].attached;
		invariant(!owner || !dev[i].dma_api);
		invariant(!owner || !dev[i].bonded);
		domains(!dev[i].joined || !dev[i].bonded ||
			dev[i].domain == DEFAULT);
		invariant(!owner || !dev[i].joined || !dev[i].bound);
		ownership(!dev[i].joined || !dev[i].bound || dev[i].dma_api);
		domains(!dev[i].joined || !dev[i].bound || dev[i].attached ||
			dev[i].domain == DEFAULT);
		domains(!dev[i].joined || !dev[i].attached ||
			dev[i].domain == dev[i].attached);
		domains(exists(dev[i].domain));
		domains(!dev[i].joined || dev[i].domain == domain ||
			(dev[i].stranded && dev[i].domain == NONE))
	};
	invariant(owner_cnt == (owner -> 1 : counted));
	invariant((private != NONE) == shared && (!private || !owner));
	domains(exists(domain));
	invariant(owner -> domain >= FIRST || arriving || retired :
		  domain == (private -> private : DEFAULT));
	invariant(!blocking || blocking != mine)
}

/* Begins an atomic step. Should anything block in it, the mutex stays locked. */
inline lock_mutex()
{
	!mutex;
	mutex = 1
}

inline unlock_mutex()
{
	d_step {
		check_group();
		i = 0;
		counted = 0;
		shared = 0;
		failed = 0;
		ok = 0;
		mutex = 0
	}
}

/* WRITE_ONCE(dev->p->uses_dma_api, value) */
inline store_claim(d, value)
{
	dev[d].claim_next = value;
	dev[d].claim_buffered = 1
}

/* smp_mb(), or the passing of time */
inline flush_claim(d)
{
	if
	:: dev[d].claim_buffered ->
		dev[d].claim = dev[d].claim_next;
		dev[d].claim_next = 0;
		dev[d].claim_buffered = 0
	:: else
	fi
}

/* dev->iommu_group = value */
inline store_group(d, value)
{
	dev[d].group_next = value;
	dev[d].group_buffered = 1
}

inline flush_group(d)
{
	if
	:: dev[d].group_buffered ->
		dev[d].group = dev[d].group_next;
		dev[d].group_next = 0;
		dev[d].group_buffered = 0
	:: else
	fi
}

/* __iommu_attach_device(): one that fails may have detached the device */
inline attach(d, to)
{
	if
	:: dev[d].domain = to; ok = 1
	:: dev[d].domain = NONE; ok = 0
	fi
}

/* __iommu_device_restore_domain() */
inline restore_device(d, to)
{
	attach(d, to);
	if
	:: ok ->
		dev[d].stranded = 0
	:: else ->
#ifndef BREAK_STRANDED
		dev[d].stranded = 1
#endif
	fi
}

/* __iommu_group_restore_domain() */
inline restore_group(to)
{
	if
	:: domain != to ->
		for (i : 0 .. DEVICES - 1) {
			if
			:: dev[i].listed -> restore_device(i, to)
			:: else
			fi
		};
		domain = to
	:: else
	fi
}

/* __iommu_group_set_domain() and iommu_group_undo_attach() */
inline set_domain(to)
{
	failed = DEVICES;
	for (i : 0 .. DEVICES - 1) {
		if
		:: dev[i].listed && failed == DEVICES ->
			attach(i, to);
			if
			:: ok -> dev[i].stranded = 0
			:: else -> failed = i
			fi
		:: else
		fi
	};
	if
	:: failed == DEVICES ->
		domain = to;
		ok = 1
	:: else ->
#ifndef BREAK_ROLLBACK
		for (i : 0 .. DEVICES - 1) {
			if
			:: dev[i].listed && i <= failed ->
				restore_device(i, domain)
			:: else
			fi
		};
#endif
		ok = 0
	fi
}

/* iommu_group_fallback_domain() */
#ifndef BREAK_FALLBACK
#define fallback_domain		(owner && blocking -> blocking : DEFAULT)
#else
#define fallback_domain		DEFAULT
#endif

/* iommu_ops.probe_finalize(): looks at the domain without a lock */
inline probe_finalize(d)
{
	dev[d].dma_ops = (domain == DEFAULT)
}

inline claim_device(d)
{
	invariant(!private || dev[d].attached);
	if
#ifndef BREAK_COUNT_ONCE
	:: !dev[d].dma_api ->
#else
	:: true ->
#endif
		dev[d].dma_api = 1;
		owner_cnt++
	:: else
	fi
}

inline unclaim_device(d)
{
	if
	:: dev[d].dma_api ->
		dev[d].dma_api = 0;
		owner_cnt--
	:: else
	fi
}

/* iommu_group_leave_default_domain(), after the attach */
inline left_default_domain()
{
	for (i : 0 .. DEVICES - 1) {
		dev[i].dma_ops_stale = dev[i].listed
	}
}

/* drop_device() */
inline drop_device(d)
{
	dev[d].attached = NONE;
	shared = 0;
	for (i : 0 .. DEVICES - 1) {
		shared = shared || dev[i].attached
	};
	if
	:: !shared ->
		private = NONE;
#ifndef BREAK_LAST_DETACH
		restore_group(DEFAULT)
#endif
	:: else
	fi
}

/* The device is wholly in the group or out of it. */
inline settle(d)
{
	dev[d].moving = 0;
	ownership(dev[d].lock || !dev[d].dma_api)
}

/* iommu_ops.release_device() */
inline release_device(d)
{
	dev[d].joined = 0;
	dev[d].domain = NONE;
	dev[d].dma_ops = 0
}

/* iommu_group_release_device() */
inline leave(d)
{
	dev[d].moving = 1;
#ifdef BREAK_RELEASE_LOCKED
	atomic { release_device(d) };
#endif
	atomic {
		lock_mutex();
#ifndef BREAK_RELEASE_LOCKED
		release_device(d);
#endif
#ifndef BREAK_LEAVE
		/* iommu_dma_owner_leave() */
		unclaim_device(d);
#endif
		/* iommu_group_delist(), iommu_group_forget() */
		dev[d].listed = 0;
#ifndef BREAK_LEAVE_PRIVATE
		/* iommu_private_leave() */
		if
		:: dev[d].attached -> drop_device(d)
		:: else
		fi;
#endif
		dev[d].dma_api = 0;
		dev[d].attached = NONE;
		dev[d].bonded = 0;
		dev[d].stranded = 0;
		dev[d].dma_ops_stale = 0;
		unlock_mutex()
	};
	atomic { store_group(d, 0); settle(d) }
}

/*
 * iommu_group_add_device(), then iommu_probe_device() or bus_iommu_probe().
 * Both attach the device; the second may find that the group went elsewhere.
 */
inline join(d)
{
	atomic { dev[d].moving = 1; store_group(d, 1) };
	atomic {
		lock_mutex();
		dev[d].listed = 1;
		/* iommu_dma_owner_join() */
#ifndef BREAK_JOIN_BARRIER
		flush_group(d);
#endif
#ifndef BREAK_JOIN_FINALIZE
		dev[d].dma_ops_stale = (domain != DEFAULT);
#endif
		good = 1;
		if
#ifndef BREAK_JOIN_REFUSED
		:: dev[d].claim && owner -> good = 0
#endif
#ifndef BREAK_JOIN_PRIVATE
		:: dev[d].claim && private -> good = 0
#endif
#ifndef BREAK_JOIN_COUNTED
		:: dev[d].claim && !owner && !private -> claim_device(d)
#endif
		:: else
		fi;
	};
	/* Still locked: only who does without the mutex gets in between. */
	atomic {
		if
		:: good -> attach(d, domain); good = ok
		:: else
		fi;
		dev[d].joined = good;
#ifdef BREAK_JOIN_BARRIER
		/* at the latest: giving up the mutex is a barrier as well */
		flush_group(d);
#endif
		unlock_mutex()
	};
	if
	:: good ->
		atomic {
			lock_mutex();
			if
#ifndef BREAK_JOIN_DOMAIN
			:: domain == DEFAULT ->
#else
			:: true ->
#endif
				attach(d, DEFAULT);
				good = ok
			:: else
			fi;
			dev[d].joined = good;
			unlock_mutex()
		}
	:: else
	fi;
	if
	:: good -> atomic { probe_finalize(d); settle(d); good = 0 }
	:: else -> leave(d)
	fi
}

/* iommu_device_use_dma_api(), up to where it gives up the mutex */
inline use_dma_api(d)
{
	atomic {
		lock_mutex();
		/* find_device(): if it is not there yet, join() will count it */
		found = dev[d].listed;
		if
#ifndef BREAK_OWNER
		:: found && owner -> good = 0
#endif
#ifndef BREAK_USE_PRIVATE
		:: found && private && !dev[d].attached -> good = 0
#endif
#ifndef BREAK_STRANDED_RETRY
		:: found && !owner && dev[d].stranded ->
			restore_device(d, domain);
			good = ok
#endif
		:: else
		fi;
		if
		:: found && good ->
			claim_device(d);
			finalize = dev[d].dma_ops_stale;
			dev[d].dma_ops_stale = 0
		:: else
		fi;
		found = 0;
		unlock_mutex()
	}
}

/* device_drop_dma_claim() and iommu_device_unuse_dma_api() */
inline drop_claim(d)
{
	atomic { store_claim(d, 0) };
#ifndef BREAK_RELEASE_BARRIER
	atomic { flush_claim(d) };
#endif
	if
	:: dev[d].group ->
		atomic {
			lock_mutex();
			if
			:: dev[d].listed -> unclaim_device(d)
			:: else
			fi;
			unlock_mutex()
		}
	:: else
	fi
}

/* iommu_device_use_dma_api(), all of it */
inline device_use_dma_api(d)
{
	if
	:: dev[d].group -> use_dma_api(d)
	:: else
	fi;
	if
	:: finalize -> atomic { probe_finalize(d); finalize = 0 }
	:: else
	fi
}

/* device_claim_dma() */
inline claim_dma(d)
{
	atomic { good = 1; store_claim(d, 1) };
#ifndef BREAK_CLAIM_BARRIER
	atomic { flush_claim(d) };
#endif
	device_use_dma_api(d);
	if
#ifndef BREAK_REFUSED_DROPPED
	:: !good -> drop_claim(d)
#else
	:: !good -> atomic { store_claim(d, 0) }
#endif
	:: else
	fi
}

/*
 * iommu_attach_device(). No driver makes a device do DMA while it attaches or
 * detaches it, nor after the attach has failed.
 */
inline attach_device(d, to)
{
	atomic {
		lock_mutex();
		dev[d].bound = 0;
		/* may_attach() */
		ok = dev[d].listed;
#ifndef BREAK_ATTACH_OWNER
		ok = ok && !owner;
#endif
#ifndef BREAK_ATTACH_SIBLING
		for (i : 0 .. DEVICES - 1) {
			ok = ok && (private || i == d || !dev[i].dma_api)
		};
#endif
#ifndef BREAK_ATTACH_BONDS
		for (i : 0 .. DEVICES - 1) {
			ok = ok && !dev[i].bonded
		};
#endif
#ifndef BREAK_ATTACH_OTHER
		ok = ok && (!private || private == to);
#endif
		/* become_private() */
		if
		:: ok && !private ->
			set_domain(to);
			private = (ok -> to : NONE);
#ifndef BREAK_ATTACH_FINALIZE
			if
			:: ok -> left_default_domain()
			:: else
			fi
#endif
		:: else
		fi;
		dev[d].attached = (ok -> to : NONE);
		dev[d].bound = ok && good;
		unlock_mutex()
	}
}

/* iommu_detach_device() */
inline detach_device(d)
{
	atomic {
		lock_mutex();
		dev[d].bound = 0;
		if
		:: dev[d].attached -> drop_device(d)
		:: else
		fi;
		unlock_mutex()
	}
}

/* iommu_sva_bind_device() */
inline bind_process(d)
{
	atomic {
		lock_mutex();
		/* bind_device(): only in a group of one */
		ok = dev[d].listed;
		for (i : 0 .. DEVICES - 1) {
			ok = ok && (i == d || !dev[i].listed)
		};
#ifndef BREAK_BOND_OWNER
		ok = ok && !owner;
#endif
#ifndef BREAK_BOND_DOMAIN
		ok = ok && domain == DEFAULT;
#endif
		dev[d].bonded = ok && !dev[d].stranded;
		unlock_mutex()
	}
}

/* iommu_sva_unbind_device() */
inline unbind_process(d)
{
	atomic {
		lock_mutex();
		dev[d].bonded = 0;
		unlock_mutex()
	}
}

/* The driver begins to use the DMA API. */
inline bind(d)
{
	atomic {
		dev[d].bound = 1;
		invariant(!dev[d].joined || !owner);
		ownership(!dev[d].joined || dev[d].dma_api);
		domains(!dev[d].joined || dev[d].moving || dev[d].dma_ops)
	}
}

/* really_probe() and __device_release_driver(), with the device locked */
proctype driver_core(byte d)
{
	bit good, found, finalize;

	do
	:: atomic { !dev[d].lock; dev[d].lock = 1 };
		claim_dma(d);
		if
		:: good ->
			bind(d);
			if
			:: if
				:: attach_device(d, OF_DRIVER(1))
				:: attach_device(d, OF_DRIVER(2))
				fi;
				detach_device(d);
				/* The DMA API has to be asked for again: a
				 * sibling may be attached still. */
				device_use_dma_api(d);
				if
				:: good -> bind(d)
				:: else
				fi
			:: skip
			fi;
#ifndef BREAK_RELEASE_LAST
			/* remove(), devres_release_all() */
			dev[d].bound = 0;
			drop_claim(d)
#else
			drop_claim(d);
			dev[d].bound = 0
#endif
		:: else
		fi;
		atomic {
			good = 0;
			ownership(dev[d].moving || !dev[d].dma_api);
			dev[d].lock = 0
		}
	/* one driver for all devices, with driver_managed_dma; if a device was not
	 * attached, it may do DMA for a process */
	:: atomic {
			!dev[d].lock;
			dev[d].lock = 1;
			attach_device(d, OF_DRIVER(1));
			bind_process(d)
		};
		atomic {
			detach_device(d);
			unbind_process(d);
			dev[d].lock = 0
		}
	od
}

/* An IOMMU driver that finds and loses a device. */
proctype iommu_driver(byte d)
{
	bit good;

	do
	:: !dev[d].listed -> join(d)
	:: dev[d].listed -> leave(d)
	od
}

/* leave_for_owner() */
inline leave_for_owner(way_back, to)
{
#ifndef BREAK_WAY_BACK
	blocking = way_back;
#endif
	set_domain(to);
	if
	:: ok ->
#ifndef BREAK_CLAIM_FINALIZE
		left_default_domain()
#endif
	:: else -> blocking = NONE
	fi
}

/* iommu_group_set_dma_owner() and iommu_group_set_arriving_dma_owner() */
inline set_dma_owner()
{
	atomic {
		lock_mutex();
		for (i : 0 .. DEVICES - 1) {
			good = good || dev[i].listed
		};
#ifndef BREAK_CLAIMS
		good = good && !owner_cnt;
#endif
#ifndef BREAK_CLAIMS_BONDS
		for (i : 0 .. DEVICES - 1) {
			good = good && !dev[i].bonded
		};
#endif
#ifndef BREAK_CLAIMS_PRIVATE
		good = good && !private;
#endif
		/* The allocation may fail as well. */
		if
#ifndef BREAK_BLOCKING
		:: good -> leave_for_owner(FIRST, FIRST); good = ok
#else
		:: good
#endif
		:: good -> good = 0
		/* One of the users is enough: they are not there together. */
		:: good && me == 1 -> arriving = 1
		:: else
		fi;
		if
		:: good -> owner = me; owner_cnt = 1
		:: else
		fi;
		unlock_mutex()
	}
}

/* iommu_attach_group(); under an arriving owner, iommu_dma_owner_arrive() */
inline attach_group()
{
	atomic {
		lock_mutex();
		ownership(owner == me);
		if
		:: domain == fallback_domain && !arriving ->
			mine = OTHER;
			set_domain(mine);
			mine = (ok -> mine : NONE)
		:: domain == fallback_domain && arriving ->
			mine = SECOND;
			leave_for_owner(FIRST, mine);
			mine = (ok -> mine : NONE);
			arriving = !ok
		:: else
		fi;
		unlock_mutex()
	}
}

/* iommu_group_take_blocking_domain() */
inline take_blocking_domain()
{
	atomic {
		lock_mutex();
		ownership(owner == me);
		if
#ifndef BREAK_TAKE_PRESENT
		:: domain == blocking ->
#else
		:: true ->
#endif
			mine = blocking;
#ifndef BREAK_TAKE_WAY_BACK
			blocking = OTHER
#else
			blocking = NONE
#endif
		/* the allocation fails */
		:: true
		fi;
		unlock_mutex()
	}
}

/*
 * iommu_domain_free(), of an owner that has detached or released the group. Nobody
 * looks at its domain any more, so that it makes no difference when it does so.
 */
inline free_domain()
{
	mine = NONE;
	domains(exists(domain))
}

/* iommu_detach_group(), then iommu_domain_free() */
inline detach_group()
{
	atomic {
		lock_mutex();
		ownership(owner == me);
		failed = fallback_domain;
		restore_group(failed);
		free_domain();
		unlock_mutex()
	}
}

/* iommu_group_retire_dma_owner() */
inline retire_dma_owner()
{
	atomic {
		lock_mutex();
		ownership(owner == me);
#ifndef BREAK_RETIRED
		retired = retired || domain != blocking;
		arriving = arriving && !retired;
		blocking = (retired -> NONE : blocking);
#else
		owner = 0;
		owner_cnt = 0;
#endif
		unlock_mutex()
	}
}

/* iommu_group_release_dma_owner(), then iommu_domain_free() */
inline release_dma_owner()
{
	atomic {
		lock_mutex();
		ownership(owner == me);
		owner = 0;
		arriving = 0;
		retired = 0;
#ifndef BREAK_RELEASE_COUNT
		owner_cnt = 0;
#endif
#ifndef BREAK_RELEASE_DOMAIN
		restore_group(DEFAULT);
#endif
		blocking = NONE;
		free_domain();
#ifdef BREAK_LOCK_ORDER
		/* to set up the DMA ops at once */
		!dev[JOINER].lock;
#endif
		unlock_mutex()
	}
}

/* VFIO, or somebody who is less careful to detach */
proctype user(byte me)
{
	bit good;

	do
	:: set_dma_owner();
		if
		:: good ->
			do
			:: !retired -> attach_group()
			:: take_blocking_domain()
			:: detach_group()
			:: retire_dma_owner()
			:: break
			od;
			release_dma_owner();
			good = 0
		:: else
		fi
	od
}

/* Store buffers drain at any time. Only the joiner's group changes. */
proctype memory()
{
end:	do
	:: atomic { dev[JOINER].claim_buffered -> flush_claim(JOINER) }
	:: atomic { dev[JOINER].group_buffered -> flush_group(JOINER) }
	od
}

init
{
	atomic {
		for (i : 0 .. DEVICES - 1) {
			if
			:: i != JOINER ->
				dev[i].listed = 1;
				dev[i].joined = 1;
				dev[i].group = 1;
				dev[i].domain = DEFAULT;
				dev[i].dma_ops = 1
			:: else
			fi;
			run driver_core(i)
		};
		run iommu_driver(JOINER);
		for (i : 1 .. USERS) {
			run user(i)
		};
		run memory();
		i = 0
	}
}
